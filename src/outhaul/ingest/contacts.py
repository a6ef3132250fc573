"""Contacts: which columns a file may have, new fields, and the chunks in which rows are applied."""

from collections.abc import Sequence
from dataclasses import replace

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.contact_fields import LONGEST_EXTERNAL_ID, MOST_CUSTOM_FIELDS, is_field_id
from outhaul.domain.errors import ImportRefused
from outhaul.domain.fields import CONTACT_FIELDS
from outhaul.ingest.guess import guess_types
from outhaul.ingest.sources import Source, open_source
from outhaul.ingest.staged import STAGED, Layout, Rule, StagedField, show, stage
from outhaul.ingest.work import Piece, Work, line_pieces
from outhaul.store.commits import Commit, Commits
from outhaul.store.contact_fields import ContactFields
from outhaul.store.contact_rows import ContactRows
from outhaul.store.contacts import upsert
from outhaul.store.staging import Staging


def prepare(
    staging: Staging,
    work: Work,
    *,
    commits: Commits,
    fields: ContactFields,
    cancellation: Cancellation,
) -> tuple[Source, list[Piece]]:
    """Stage a file of contacts, adding the fields it brings when the job allows it."""
    options = work.options
    source = open_source(work.path, staging.connection, known=None, delimiter=options.delimiter)
    if not {"id", "_email"} & set(source.columns):
        raise ImportRefused("The file needs a column _email or id that tells the contacts apart.")
    system = {
        field.id: field
        for field in CONTACT_FIELDS
        if field.id != "id" and (field.writable or field.id == "_email" or not options.uploaded)
    }
    custom = fields.as_of(work.account_id, commits.snapshot(work.account_id).number)
    known = {*(() if options.uploaded else ("id",)), *system, *(field.id for field in custom)}
    new = [id_ for id_ in source.columns if id_ not in known]
    if new and options.uploaded and not options.create_fields:
        names = ", ".join(new)
        raise ImportRefused(f"The file has columns that are no fields, or cannot be set: {names}.")
    _check_new(new, len(custom), create=options.create_fields)
    types = guess_types(staging, source, new) if new else {}
    columns = [
        StagedField(id=field.id, type=field.type, column=field.id, options=field.options or None)
        for field in system.values()
        if field.id in source.columns
    ]
    columns += [
        StagedField(id=field.id, type=field.type, column=f"x{field.ordinal}")
        for field in custom
        if field.id in source.columns
    ]
    provisional = [
        StagedField(id=id_, type=types[id_], column=f"new{n}") for n, id_ in enumerate(new)
    ]
    layout = Layout(
        ids=["id"], fields=[*columns, *provisional], rules=_rules(source), keeps_given=True
    )
    total = stage(staging, source, layout)
    if new:
        # Only now is it known that the file can be read to its end.
        made = _create(provisional, work, commits=commits, fields=fields)
        columns += made
        show(
            staging,
            layout,
            {old.column: now.column for old, now in zip(provisional, made, strict=True)},
        )
    rows = ContactRows(
        staged=staging.table(STAGED),
        import_id=work.import_id,
        columns={field.column: field.id for field in columns},
        sparse=source.given is not None,
        existing=options.existing,
    )

    def write(commit: Commit, first: int, until: int) -> int:
        cancellation.check()
        return upsert(commit, rows, first, until, cancellation=cancellation)

    return source, line_pieces(staging, total, work.record_chunk, write)


def _rules(source: Source) -> list[Rule]:
    email = "_email IS NULL" if "_email" in source.columns else "true"
    missing = f"id IS NULL AND {email}"
    rules = [Rule(broken=missing, reason="the row needs an _email or an id")]
    if "_externalId" in source.columns:
        length = f"length(_externalId) NOT BETWEEN 1 AND {LONGEST_EXTERNAL_ID}"
        rules.append(Rule(broken=length, reason="_externalId must have 1 to 50 characters"))
    return rules


def _check_new(new: Sequence[str], present: int, *, create: bool) -> None:
    """Raise ImportRefused unless the columns `new` may become fields beside those present."""
    if new and not create:
        raise ImportRefused(
            f"The file has columns that are no contact fields: {', '.join(new)}."
            " Import with --create-fields to add them as fields, or rename them."
        )
    unfit = [id_ for id_ in new if not is_field_id(id_)]
    if unfit:
        raise ImportRefused(
            f"These columns cannot become fields: {', '.join(unfit)}. The id of a field starts"
            " with a letter and has letters, digits, -, _ and brackets, at most 150."
        )
    if present + len(new) > MOST_CUSTOM_FIELDS:
        raise ImportRefused(
            f"An account has at most {MOST_CUSTOM_FIELDS} fields of its own;"
            f" it has {present} and the file would add {len(new)}."
        )


def _create(
    provisional: Sequence[StagedField],
    work: Work,
    *,
    commits: Commits,
    fields: ContactFields,
) -> list[StagedField]:
    """Make contact fields of staged columns; gives these with the store's columns."""
    with commits.open(work.account_id, source=work.import_id) as commit:
        added = fields.add(commit, [(field.id, field.id, field.type) for field in provisional])
    return [
        replace(field, column=f"x{made.ordinal}")
        for field, made in zip(provisional, added, strict=True)
    ]
