"""Whether the parts that Outhaul stands on answer."""

from dataclasses import dataclass

OK = "ok"


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """State of each part: `ok`, or a short reason that gives nothing secret away."""

    catalog: str
    store: str
    files: str
    worker: str

    @property
    def healthy(self) -> bool:
        return {self.catalog, self.store, self.files, self.worker} == {OK}
