"""Contacts changed or erased since an earlier export: whoever keeps up has the whole list."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outhaul.archive.manifest import read_manifest
from outhaul.archive.verify import verify
from outhaul.domain.cancellation import Cancellation
from outhaul.domain.extras import Extras
from outhaul.domain.imports import ImportKind
from outhaul.store.compaction import Compactor
from outhaul.store.erasure import erase
from tests.api_client import Client
from tests.api_server import serving
from tests.pipeline_shop import PipelineShop, members, request

Rows = dict[str, dict[str, str]]


def rows(text: bytes) -> Rows:
    """The rows of a file by contact id."""
    return {row["Tracker"]: row for row in csv.DictReader(io.StringIO(text.decode(), newline=""))}


@dataclass
class Follower:
    """A program that asks for what has changed and keeps a list of its own."""

    shop: PipelineShop
    cursor: int = 0
    known: Rows = field(default_factory=dict)

    def catch_up(self) -> tuple[Rows, Rows]:
        """Ask, forget who was erased, take what was changed; both."""
        changes = Extras(changed_since=self.cursor)
        pipeline, export, plan, parts = self.shop.plan(request(extras=changes))
        done = [(part, self.shop.slice(pipeline, export, plan, part)) for part in parts]
        archive, manifest = pipeline.assemble(
            export, plan, done, attempt=1, cancellation=Cancellation()
        )
        changed, erased = map(rows, members(b"".join(self.shop.files.read(archive.key))))
        for id_ in erased:
            self.known.pop(id_, None)
        self.known |= changed
        self.cursor = manifest.snapshot.number
        return changed, erased


def take(shop: PipelineShop, *named: tuple[str, str]) -> None:
    shop.take(
        ImportKind.CONTACTS,
        ({"id": id_, "_name": name, "_email": f"{id_}@shop.example"} for id_, name in named),
    )


def erased(shop: PipelineShop, *ids: str) -> None:
    for id_ in ids:
        with shop.commits.open(shop.account.id, source="test") as commit:
            erase(commit, id_)


def compact(shop: PipelineShop) -> None:
    Compactor(shop.engine, shop.commits, least=1).compact(shop.account.id, lambda newest: newest)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PipelineShop]:
    made = PipelineShop(tmp_path, slice_rows=2)
    yield made
    made.engine.close()


def test_only_changes_are_told(shop: PipelineShop) -> None:
    """New and changed contacts in one file, erased ones in the other, each once; and nothing
    when nothing has happened."""
    follower = Follower(shop)
    take(shop, ("a", "Ann"), ("b", "Bob"), ("c", "Cem"))
    changed, gone = follower.catch_up()
    assert (sorted(changed), gone) == (["a", "b", "c"], {})
    take(shop, ("b", "Bob"), ("c", "Cemal"), ("d", "Dora"))
    erased(shop, "a")
    changed, gone = follower.catch_up()
    assert sorted(changed) == ["c", "d"]
    assert sorted(gone) == ["a"]
    assert gone["a"]["Erasure date"].startswith("20")
    assert follower.catch_up() == ({}, {})


def test_who_came_back_and_left_again_is_told_again(shop: PipelineShop) -> None:
    """A contact restored under its old id is a changed one; when it is erased once more, that is
    told too."""
    follower = Follower(shop)
    take(shop, ("a", "Ann"))
    follower.catch_up()
    erased(shop, "a")
    take(shop, ("a", "Ann again"))
    changed, gone = follower.catch_up()
    assert (list(changed), gone) == (["a"], {})
    erased(shop, "a")
    changed, gone = follower.catch_up()
    assert (changed, list(gone)) == ({}, ["a"])


ids = st.sampled_from("abcdefgh")
step = st.one_of(
    st.tuples(
        st.just("take"), st.dictionaries(ids, st.sampled_from(["Ann", "Bob", ""]), min_size=1)
    ),
    st.tuples(st.just("erase"), st.lists(ids, min_size=1, max_size=3, unique=True)),
    st.tuples(st.sampled_from(["compact", "catch up"]), st.none()),
)


@settings(max_examples=10, deadline=None)
@given(steps=st.lists(step, min_size=5, max_size=12))
def test_whoever_keeps_up_has_the_whole_list(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    """Whatever is changed, erased, restored and compacted in whatever order, and however often
    the program asks: at the end it has the rows of a full export."""
    shop = PipelineShop(tmp_path_factory.mktemp("follow"), slice_rows=3)
    follower = Follower(shop)
    for what, whom in steps:
        match what:
            case "take":
                take(shop, *whom.items())
            case "erase":
                erased(shop, *whom)
            case "compact":
                compact(shop)
            case "catch up":
                follower.catch_up()
    follower.catch_up()
    [whole] = shop.export(request())
    assert follower.known == rows(whole)
    shop.engine.close()


def test_changes_over_http(tmp_path: Path) -> None:
    """The cursor of one manifest goes into the next create; the files are named by what they hold
    and whole by their manifest."""
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        client = Client(address)
        for name in ("ann", "bob"):
            client.done("PATCH", f"/contacts/{name}@shop.example", 201, json={"_name": name})
        first = client.export(changedSince=0)
        manifest = client.done("GET", f"/exports/{first['id']}/manifest", 200)
        assert (first["changedSince"], first["total"]) == (0, 2)
        client.done("DELETE", "/contacts/ann@shop.example", 204)
        client.done("PATCH", "/contacts/cem@shop.example", 201, json={"_name": "cem"})

        since = manifest["snapshot"]["number"]
        second = client.export(changedSince=since, columns=["_name"])
        text = client.ask("GET", f"/exports/{second['id']}/manifest").content
        path = tmp_path / second["fileName"]
        path.write_bytes(httpx.get(second["fileUrl"], timeout=30).content)
        verdict = verify(path, read_manifest(text))
        stem = second["fileName"].removesuffix(".zip")
        assert verdict.differences == ()
        assert verdict.members == ((f"{stem}.csv", 1), (f"{stem}-erased.csv", 1))
        with zipfile.ZipFile(path) as archive:
            assert archive.read(f"{stem}.csv") == b'"Name"\n"cem"\n'
            assert archive.read(f"{stem}-erased.csv").startswith(b'"Tracker","Erasure date"\n"')

        ahead = client.faults(
            "POST",
            "/exports/",
            json={"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
            | {"changedSince": since + 1000},
        )
        assert list(ahead) == ["/changedSince"]
