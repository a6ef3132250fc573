"""Moving the catalog of a data directory into a database that several nodes share."""

from sqlalchemy import func, insert, select

from outhaul.catalog.database import Database, one_at_a_time
from outhaul.catalog.tables import (
    accounts,
    breaking_revisions,
    homes,
    metadata,
    nodes,
    request_counts,
)
from outhaul.domain.errors import OuthaulError

_AT_ONCE = 1000


def move(source: Database, target: Database, *, home_id: str) -> int:
    """Copy every row, all or nothing; accounts are kept by the home. Both databases have the newest
    layout. Returns how many accounts there are. Raises OuthaulError when `target` has some already.
    """
    with source.reading() as there, target.transaction() as here:
        one_at_a_time(here, "move a catalog")
        if here.execute(select(func.count()).select_from(accounts)).scalar_one():
            raise OuthaulError(
                "the database at OUTHAUL_CATALOG has accounts already: give it an empty one"
            )
        owner = {"node_id": home_id, "machine": "", "lease_until_ms": 0}
        here.execute(insert(homes).values(id=home_id, **owner))
        # Nobody holds what a stopped server held; and the account's data is where it was.
        changed = {"lease_until_ms": 0, "home_id": home_id}
        for table in metadata.sorted_tables:
            if table in {breaking_revisions, homes, nodes, request_counts}:
                continue
            known = {name: value for name, value in changed.items() if name in table.c}
            for rows in there.execute(select(table)).mappings().partitions(_AT_ONCE):
                here.execute(insert(table), [{**row, **known} for row in rows])
        return here.execute(select(func.count()).select_from(accounts)).scalar_one()
