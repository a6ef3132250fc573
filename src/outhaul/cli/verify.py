"""`outhaul verify`: is a downloaded file whole?"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from outhaul.archive.manifest import read_manifest
from outhaul.archive.verify import verify

_A_FILE = {"exists": True, "dir_okay": False, "readable": True}


def verify_file(
    file: Annotated[Path, typer.Argument(help="The downloaded ZIP.", **_A_FILE)],
    manifest: Annotated[
        Path | None,
        typer.Option(help="Its manifest, as GET /exports/{id}/manifest gave it.", **_A_FILE),
    ] = None,
) -> int:
    """Count and hash a downloaded file again. Exit status 0: it is whole; 1: it is not.

    Example: outhaul verify export-contacts-0b6f2f0e.zip --manifest manifest.json

    Works offline and in constant memory. Without a manifest the file is only checked against
    itself: whether the ZIP is whole, its checksums fit and its last line ends, or every value of
    its Parquet files can be read.
    """
    proof = None if manifest is None else read_manifest(manifest.read_bytes())
    verdict = verify(file, proof)
    for difference in verdict.differences:
        print(f"{file}: {difference}", file=sys.stderr)
    for line in verdict.rows:
        print(line)
    print(f"{verdict.bytes:,} bytes, SHA-256 {verdict.sha256}")
    if verdict.differences:
        print(f"NOT WHOLE: {len(verdict.differences)} differences", file=sys.stderr)
        return 1
    if proof is None:
        print("The file agrees with itself; nothing was compared with a manifest.")
    else:
        at = f" of {proof.snapshot.at}" if proof.snapshot.at else ""
        print(f"Whole: it is export {proof.export_id} as of commit {proof.snapshot.number}{at}.")
    return 0
