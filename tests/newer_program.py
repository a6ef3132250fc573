"""The `outhaul` command as a later version could be: what stands below is all that is different.

    python -m tests.newer_program FOLDER adds serve --data ...

Its catalog has one more revision, which only adds (`adds`) or which older programs cannot work with
(`breaks`), and what it plans is of a higher level. FOLDER is for its own copy of the migrations.
"""

import shutil
import sys
from pathlib import Path

from outhaul.domain import level

level.WORK_LEVEL += 1

from outhaul.catalog import layout  # noqa: E402 -- the level is read when modules are imported
from outhaul.cli.app import main  # noqa: E402

_REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None
breaking = {breaking}

def upgrade():
    op.add_column("exports", sa.Column("of_a_later_version", sa.Text()))
    op.create_table("of_a_later_version", sa.Column("id", sa.String(24), primary_key=True))
"""


def change(folder: Path, *, breaking: bool) -> None:
    """Let the program have one more revision."""
    newest = layout.layout_with(None).newest
    copy = folder / f"migrations-{breaking}"
    if not copy.exists():
        shutil.copytree(layout.MIGRATIONS, copy)
        text = _REVISION.format(newest=newest, breaking=breaking)
        (copy / "versions" / "9999_later.py").write_text(text)
    layout.MIGRATIONS = copy


if __name__ == "__main__":
    change(Path(sys.argv[1]), breaking=sys.argv[2] == "breaks")
    sys.argv[1:3] = []
    main()
