"""Which files a request asks for, and how the file that holds them is called."""

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


def file_extension(request: ExportRequest) -> str:
    """How the name of the file to download ends, without the dot before it: a ZIP holds any number
    of files; other compressions hold one, or a tar of several."""
    extras = request.extras
    if extras.compression is Compression.ZIP:
        return Compression.ZIP.ending
    held = extras.format.value if len(member_kinds(request)) == 1 else "tar"
    return f"{held}.{extras.compression.ending}"
