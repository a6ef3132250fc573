"""What an export is likely to be, told before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from outhaul.domain.columns import Column
from outhaul.domain.export import MemberKind
from outhaul.domain.extras import FileFormat


@dataclass(frozen=True, kw_only=True)
class MemberEstimate:
    """One file of the archive, or one data set."""

    kind: MemberKind
    rows: int
    """Exactly as many as the snapshot has."""
    bytes: int
    """Length of its files, unpacked, about."""
    columns: tuple[Column, ...]
    sample: tuple[tuple[str | None, ...], ...]
    """The first rows as the file would write them, without quotes, and as JSON Lines would where it
    writes no text; None where a value is missing."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A whole export."""

    snapshot: int
    """The commit number as of which rows were counted."""
    rows: int
    bytes: int
    """Length of the files, unpacked, about."""
    compressed_bytes: int
    """Length of the file to download, about."""
    seconds: float
    """From the start of the work to the finished file, about; waiting in line is not counted."""
    learned_from: int
    """How many past exports `seconds` follows from."""
    members: tuple[MemberEstimate, ...]


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """How long a finished export took."""

    bytes: int
    """Length of its files, unpacked."""
    seconds: float


_NOTHING = PastRun(bytes=0, seconds=0.3)
_ASSUMED = {
    FileFormat.CSV: (_NOTHING, PastRun(bytes=1_000_000_000, seconds=8.0)),
    FileFormat.JSONL: (_NOTHING, PastRun(bytes=1_000_000_000, seconds=8.0)),
    # A tenth of the text's bytes, and four times its work.
    FileFormat.PARQUET: (_NOTHING, PastRun(bytes=100_000_000, seconds=20.0)),
}
"""Two runs that stand in until there are real ones."""
_ASSUMED_WEIGHT = 1e-4
_LEAST_S = 0.05


def expected_seconds(
    text_bytes: int, runs: Sequence[PastRun], file_format: FileFormat = FileFormat.CSV
) -> float:
    """How long files of so many bytes take: the straight line through past runs of such files that
    is the fewest per cent off (weighted least squares)."""
    weighted = [_weighed(run, 1.0) for run in runs]
    weighted += [_weighed(run, _ASSUMED_WEIGHT) for run in _ASSUMED[file_format]]
    total = sum(weight for weight, _ in weighted)
    mean_bytes = sum(weight * size for weight, (size, _) in weighted) / total
    mean_seconds = sum(weight * seconds for weight, (_, seconds) in weighted) / total
    spread = sum(weight * (size - mean_bytes) ** 2 for weight, (size, _) in weighted)
    shared = sum(
        weight * (size - mean_bytes) * (seconds - mean_seconds)
        for weight, (size, seconds) in weighted
    )
    slope = max(shared / spread, 0.0)
    return max(mean_seconds + slope * (text_bytes - mean_bytes), _LEAST_S)


def _weighed(run: PastRun, weight: float) -> tuple[float, tuple[int, float]]:
    seconds = max(run.seconds, _LEAST_S)
    return weight / seconds**2, (run.bytes, seconds)
