"""Does a file hold what its manifest says? Offline, in constant memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from outhaul.archive.manifest import ColumnEntry, Manifest, MemberProof, columns_digest
from outhaul.archive.recount import (
    Damaged,
    RecountedMember,
    archive_digest,
    entries,
    recount,
)
from outhaul.archive.recount_stream import is_stream, recount_stream
from outhaul.domain.parquet import TYPES, column_names

_FEW = 4
"""So many names are told as they are; of more, what differs."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was counted, and every difference found; no difference means the file is whole."""

    bytes: int
    sha256: str
    members: tuple[tuple[str, int], ...]
    """Name and rows of each file that could be read, its header not counted."""
    differences: tuple[str, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows in words, by file, and by folder where files lie in one."""
        folders: dict[str, list[int]] = {}
        for name, rows in self.members:
            folders.setdefault(name.rpartition("/")[0] or name, []).append(rows)
        known = dict(self.members)
        return tuple(
            f"{name}: {sum(rows):,} rows" + ("" if name in known else f" in {len(rows):,} files")
            for name, rows in folders.items()
        )


def verify(path: Path, manifest: Manifest | None) -> Verdict:
    """Recount and rehash the file; without a manifest it is only checked against itself."""
    differences: list[str] = []
    if manifest is not None:
        differences += _own_differences(manifest)
    length, sha256 = archive_digest(path)
    if manifest is not None:
        differences += _unequal("archive: bytes", length, manifest.archive.bytes)
        differences += _unequal("archive: SHA-256", sha256, manifest.archive.sha256)
    proofs = {member.name: member for member in manifest.members} if manifest else {}
    columns = _told_columns(manifest) if manifest else {}
    found: list[RecountedMember] = []
    for one in _in_stream(path, manifest) if is_stream(path) else _in_zip(path, manifest):
        if isinstance(one, str):
            differences.append(one)
            continue
        found.append(one)
        if proof := proofs.get(one.name):
            differences += _member_differences(one, proof)
            if one.columns is not None:
                expected = columns.get(proof.columns_sha256, ())
                differences += _column_differences(one.name, one.columns, expected)
    return Verdict(
        bytes=length,
        sha256=sha256,
        members=tuple((member.name, member.rows) for member in found),
        differences=tuple(differences),
    )


def _in_zip(path: Path, manifest: Manifest | None) -> Iterator[RecountedMember | str]:
    """The files in a ZIP as they are; a text tells a difference."""
    try:
        listed = entries(path)
    except Damaged as error:
        yield str(error)
        return
    yield from _wrong_names([entry.filename for entry in listed], manifest)
    cuts = {
        member.name: [
            member.header.compressed_bytes,
            *(part.compressed_bytes for part in member.slices),
        ]
        for member in (manifest.members if manifest else ())
    }
    for entry in listed:
        try:
            yield recount(path, entry, cuts.get(entry.filename, ()))
        except Damaged as error:
            yield str(error)


def _in_stream(path: Path, manifest: Manifest | None) -> Iterator[RecountedMember | str]:
    """The same of a compressed file, or of a tar of several."""
    expected = None
    if manifest is not None:
        expected = [
            (member.name, [member.header.bytes, *(part.bytes for part in member.slices)])
            for member in manifest.members
        ]
    names = []
    try:
        for member in recount_stream(path, expected):
            names.append(member.name)
            yield member
    except Damaged as error:
        yield str(error)
    else:
        yield from _wrong_names(names, manifest)


def _wrong_names(names: list[str], manifest: Manifest | None) -> Iterator[str]:
    if manifest is not None:
        expected = [member.name for member in manifest.members]
        if max(len(names), len(expected)) <= _FEW:
            yield from _unequal("archive: files", names, expected)
            return
        wanted, found = set(expected), set(names)
        yield from (f"archive: {name} is missing" for name in expected if name not in found)
        yield from (
            f"archive: {name} is not in the manifest" for name in names if name not in wanted
        )
        if wanted == found and names != expected:
            yield "archive: the files are not those of the manifest in its order"


def _own_differences(manifest: Manifest) -> Iterator[str]:
    yield from _unequal("manifest: digest", manifest.true_digest(), manifest.digest)
    yield from _unequal(
        "manifest: rows of the members", sum(m.rows for m in manifest.members), manifest.rows
    )
    told = _told_columns(manifest)
    for member in manifest.members:
        place = f"manifest: {member.name}"
        rows = sum(part.rows for part in member.slices)
        yield from _unequal(f"{place}: rows of the slices", rows, member.rows)
        if member.columns is not None:
            columns = columns_digest(member.columns)
            yield from _unequal(f"{place}: hash of the columns", columns, member.columns_sha256)
        elif member.columns_sha256 not in told:
            yield f"{place}: no file before it has these columns"


def _told_columns(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """By hash: the columns as a Parquet file has them."""
    return {
        member.columns_sha256: _typed(member.columns)
        for member in manifest.members
        if member.columns is not None
    }


def _typed(columns: Sequence[ColumnEntry]) -> tuple[str, ...]:
    names = column_names(column.id for column in columns)
    known = {type_.value: told for type_, told in TYPES.items()}
    return tuple(
        f"{name} {known.get(column.type)}" for name, column in zip(names, columns, strict=True)
    )


def _column_differences(name: str, found: Sequence[str], expected: Sequence[str]) -> Iterator[str]:
    for number, (one, wanted) in enumerate(zip_longest(found, expected), start=1):
        yield from _unequal(f"{name}: column {number}", one, wanted)


def _member_differences(found: RecountedMember, proof: MemberProof) -> Iterator[str]:
    yield from _unequal(f"{proof.name}: rows", found.rows, proof.rows)
    yield from _unequal(f"{proof.name}: bytes", found.bytes, proof.bytes)
    yield from _unequal(f"{proof.name}: CRC-32", f"{found.crc32:08x}", proof.crc32)
    in_zip = found.compressed_bytes is not None
    if in_zip:
        yield from _unequal(
            f"{proof.name}: compressed bytes", found.compressed_bytes, proof.compressed_bytes
        )
    for number, (piece, part) in enumerate(zip(found.pieces[1:], proof.slices, strict=True)):
        place = f"{proof.name}: slice {number}"
        yield from _unequal(f"{place}: rows", piece.lines, part.rows)
        yield from _unequal(f"{place}: bytes", piece.bytes, part.bytes)
        yield from _unequal(f"{place}: CRC-32", f"{piece.crc32:08x}", part.crc32)
        # In a stream the bytes of a slice are not told apart; the SHA-256 of all of them is.
        if in_zip:
            yield from _unequal(f"{place}: SHA-256", piece.sha256, part.sha256)


def _unequal(place: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{place}: {found} instead of {expected}"
