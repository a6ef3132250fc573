"""Which columns a file has: a pinned list per version that a release never changes again.

Later versions add columns or reword headers (contract section 9). A column appears in an
activities file when any selected type has its field in that version.
"""

from outhaul.domain.account import Language
from outhaul.domain.activity_types import (
    ACTIVITY_FIELDS,
    ACTIVITY_TYPES,
    MOBILE_FIELDS,
    PRODUCT_FIELDS,
    ActivityField,
)
from outhaul.domain.columns import Column
from outhaul.domain.export import CustomField, FieldType, Frozen, MemberKind, Version
from outhaul.domain.fields import CONTACT_FIELDS, ContactField

_FORMER_LABELS_EN: dict[str, tuple[Version, str]] = {
    "origin": (Version.V2, "Purchase origin"),
    "referer": (Version.V2, "Page visit referer"),
    "_emailLastUnsubscribedDate": (Version.V5, "Last unsubscribed date"),
    "_emailLastUnsubscribedIp": (Version.V5, "Last unsubscribed IP"),
}
"""By field id: the first version with today's English header, and the header before it."""


def columns(
    member: MemberKind,
    version: Version,
    frozen: Frozen,
    activity_types: tuple[str, ...] | None,
) -> tuple[Column, ...]:
    """The columns of a member's file, in order.

    `activity_types` are canonical ids and narrow the activities file only; None means all.
    Raises KeyError for a type that is not canonical.
    """
    match member:
        case MemberKind.CONTACTS:
            return _contacts(version, frozen)
        case MemberKind.ACTIVITIES:
            return _activities(version, frozen, activity_types)
        case MemberKind.PRODUCTS:
            return _products(version, frozen)
        case MemberKind.ERASED:
            return _base(_ERASED, frozen.language)
        case MemberKind.REPORT:
            raise ValueError("a report has the columns of its definition, in every version")


def chosen_columns(
    member: MemberKind, version: Version, frozen: Frozen, ids: tuple[str, ...]
) -> tuple[Column, ...]:
    """The columns with these ids, in this order, whatever activity types are selected.

    A field that has been deleted since it was asked for keeps its place, with nothing in it.
    """
    known = {column.id: column for column in columns(member, version, frozen, None)}
    return tuple(known.get(id_) or _gone(id_) for id_ in ids)


def _gone(id_: str) -> Column:
    return Column(id=id_, label=id_, type=FieldType.TEXT, source=id_, activity_types=frozenset())


def _contacts(version: Version, frozen: Frozen) -> tuple[Column, ...]:
    system = tuple(
        Column(
            id=field.id,
            label=_label(field, version, frozen.language),
            type=field.type,
            source=field.id,
        )
        for field in CONTACT_FIELDS
        if field.since.number <= version.number
    )
    return system + _custom(frozen.custom_fields, {column.label for column in system})


def _custom(fields: tuple[CustomField, ...], taken: set[str]) -> tuple[Column, ...]:
    """Columns of custom fields in creation order; a header already `taken` gets the field's id.

    The earlier field keeps its header, so that adding a field never rewords another column.
    """
    taken = set(taken)
    columns = []
    for field in sorted(fields, key=lambda field: field.ordinal):
        label = field.name
        while label in taken:
            label = f"{label} ({field.id})"
        taken.add(label)
        columns.append(
            Column(id=field.id, label=label, type=field.type, source=f"x{field.ordinal}")
        )
    return tuple(columns)


_ACTIVITY_TYPE = ("activityType", "Activity type", "Tipo de actividad", FieldType.TEXT, "type")
_CREATION_DATE = ("creationDate", "Creation date", "Fecha creación", FieldType.INSTANT, "createdAt")
_EMAIL = ("email", "Email", "Email", FieldType.EMAIL, "email")
_TRACKER = ("tracker", "Tracker", "Tracker", FieldType.TEXT, "contactId")
_ACTIVITY_ID = ("activityId", "Activity ID", "Activity ID", FieldType.TEXT, "id")
_ACTIVITY_ID_OF_LINE = (*_ACTIVITY_ID[:4], "activityId")

_BASE_OF_ACTIVITIES = (_ACTIVITY_TYPE, _CREATION_DATE, _EMAIL, _TRACKER, _ACTIVITY_ID)
_ERASED = (
    ("id", "Tracker", "Tracker", FieldType.TEXT, "id"),
    ("erasedAt", "Erasure date", "Fecha de borrado", FieldType.INSTANT, "erasedAt"),
)
_BASE_OF_PRODUCTS = (_ACTIVITY_ID_OF_LINE, _ACTIVITY_TYPE, _CREATION_DATE, _EMAIL)


def _base(
    rows: tuple[tuple[str, str, str, FieldType, str], ...], language: Language
) -> tuple[Column, ...]:
    return tuple(
        Column(
            id=id_,
            label=label_es if language is Language.ES else label_en,
            type=type_,
            source=source,
        )
        for id_, label_en, label_es, type_, source in rows
    )


def _activities(
    version: Version, frozen: Frozen, activity_types: tuple[str, ...] | None
) -> tuple[Column, ...]:
    selected = set(ACTIVITY_TYPES) if activity_types is None else set(activity_types)
    for unknown in selected - set(ACTIVITY_TYPES):
        raise KeyError(unknown)
    carriers = _carriers(version, mobile_push=frozen.mobile_push)
    return _base(_BASE_OF_ACTIVITIES, frozen.language) + tuple(
        Column(
            id=field.id,
            label=_label(field, version, frozen.language),
            type=field.type,
            source=field.id,
            as_cell=field.type.is_text,
            activity_types=carriers[field.id],
        )
        for field in ACTIVITY_FIELDS.values()
        if not selected.isdisjoint(carriers[field.id])
    )


def _carriers(version: Version, *, mobile_push: bool) -> dict[str, frozenset[str]]:
    """By field id: the types whose rows show the field in this version."""
    types_of: dict[str, list[str]] = {id_: [] for id_ in ACTIVITY_FIELDS}
    for type_ in ACTIVITY_TYPES.values():
        for field in type_.fields_in(version):
            if mobile_push or field not in MOBILE_FIELDS:
                types_of[field].append(type_.id)
    return {field: frozenset(types) for field, types in types_of.items()}


def _products(version: Version, frozen: Frozen) -> tuple[Column, ...]:
    return _base(_BASE_OF_PRODUCTS, frozen.language) + tuple(
        Column(
            id=field.id,
            label=_label(field, version, frozen.language),
            type=field.type,
            source=field.id,
            as_cell=field.type.is_text,
        )
        for field in PRODUCT_FIELDS.values()
    )


def _label(field: ContactField | ActivityField, version: Version, language: Language) -> str:
    if language is Language.ES and field.label_es is not None:
        return field.label_es
    renamed, former = _FORMER_LABELS_EN.get(field.id, (Version.V1, field.label_en))
    return former if version.number < renamed.number else field.label_en
