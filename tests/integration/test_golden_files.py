"""Released versions never change a byte."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from outhaul.domain.account import Language
from outhaul.domain.export import ExportType, Version
from tests import golden
from tests.pipeline_shop import PipelineShop, request


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineShop]:
    made = golden.golden_shop(tmp_path_factory.mktemp("golden"))
    yield made
    made.engine.close()


def test_every_version_is_what_it_was_when_it_was_released(shop: PipelineShop) -> None:
    """Type x version x delimiter x date format, and every language."""
    digests = json.loads(golden.DIGESTS.read_text())
    found = {}
    for name, language, wanted in golden.cases():
        members = golden.export(shop, language, wanted)
        found[name] = golden.digest(members)
        if golden.kept_whole(name):
            for number, member in enumerate(members):
                kept = golden.FOLDER / f"{name}-{number}.csv"
                assert member == kept.read_bytes(), kept.name
    assert found == digests


@pytest.mark.parametrize("export_type", [ExportType.CONTACTS, ExportType.ACTIVITIES])
def test_an_empty_export_is_its_header(tmp_path: Path, export_type: ExportType) -> None:
    """The same header as with rows, without the custom fields that an empty account has not."""
    empty = golden.golden_shop(tmp_path, empty=True)
    members = golden.export(
        empty, Language.EN, request(export_type=export_type, version=Version.V6)
    )
    empty.engine.close()
    for number, member in enumerate(members):
        full = (golden.FOLDER / f"{export_type}-v6-comma-ISO-en-{number}.csv").read_bytes()
        header = full[: full.index(b"\n")]
        assert member.endswith(b'"\n')
        assert header.startswith(member[:-1])
        assert member.count(b"\n") == 1


def test_reports_are_what_they_were_when_they_were_released(tmp_path: Path) -> None:
    """Headers as in the contract's sample, days on the account's clocks, exact sums."""
    shop = golden.report_shop(tmp_path)
    found = {name: shop.export(wanted)[0].decode() for name, wanted in golden.report_cases()}
    shop.engine.close()
    assert found == {path.name: path.read_bytes().decode() for path in golden.REPORTS.iterdir()}
