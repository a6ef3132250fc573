"""Which files a request asks for, how they are cut, and how the file that holds them is called."""

from collections.abc import Sized

from outhaul.domain.activity_types import ACTIVITY_TYPES, canonical
from outhaul.domain.export import ExportRequest, MemberKind
from outhaul.domain.extras import Compression


def selected_types(request: ExportRequest) -> tuple[str, ...] | None:
    """The canonical ids of the activity types that were asked for; None means all."""
    if request.filters.activity_types is None:
        return None
    found = {canonical(spelling) for spelling in request.filters.activity_types}
    return tuple(sorted(type_ for type_ in found if type_ is not None))


def member_kinds(request: ExportRequest) -> tuple[MemberKind, ...]:
    """The files, in their order."""
    types = selected_types(request)
    with_products = {id_ for id_, type_ in ACTIVITY_TYPES.items() if type_.has_product_lines}
    no_products = types is not None and with_products.isdisjoint(types)
    kinds = tuple(
        kind
        for kind in request.export_type.members
        if not (kind is MemberKind.PRODUCTS and no_products)
    )
    return kinds if request.extras.changed_since is None else (*kinds, MemberKind.ERASED)


_COLUMNS_OF_FULL_SLICES = 25


def rows_of_slice(kind: MemberKind, columns: Sized, slice_rows: int) -> int:
    """About how many rows a slice of a file with these columns has, where one of average width has
    `slice_rows`. Contacts have a value in most columns, so that their rows grow with the number of
    columns; of an activity only the few columns of its type have any."""
    if kind is not MemberKind.CONTACTS:
        return slice_rows
    width = max(len(columns) / _COLUMNS_OF_FULL_SLICES, 1)
    return max(1, int(slice_rows / width))


def file_extension(request: ExportRequest) -> str:
    """How the name of the file to download ends, without the dot before it: a ZIP holds any number
    of files; other compressions hold one, or a tar of several."""
    extras = request.extras
    if extras.compression is Compression.ZIP:
        return Compression.ZIP.ending
    held = extras.format.value if len(member_kinds(request)) == 1 else "tar"
    return f"{held}.{extras.compression.ending}"
