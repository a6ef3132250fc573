"""Runs migrations within the transaction that `Database.migrate` has opened."""

from alembic import context

from outhaul.catalog.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
