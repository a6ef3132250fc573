"""Whose files these are: a place outside the data directory carries the mark of its catalog.

Whoever starts removes files that its catalog does not know. Two catalogs on one place would remove
each other's archives, and a catalog on a wrong place would find none of its own.
"""

from outhaul.domain.errors import FileMissing, StorageRefused, UnsafeSettings
from outhaul.files.object_store import Files

_MARK = "outhaul-catalog.txt"


def claim(files: Files, catalog_id: str, *, newest_archive: str | None) -> None:
    """Make sure that the files are this catalog's; the first catalog to come leaves its mark.

    Raises UnsafeSettings where they are another catalog's, where they lack `newest_archive` (the
    key of a file that is known to exist), or where keys and rights do not suffice, and
    StorageUnavailable where nobody can tell now.
    """
    try:
        holder = _holder(files)
        if holder is None:
            if newest_archive is not None and not _exists(files, newest_archive):
                raise UnsafeSettings(
                    "the catalog knows files that are not at OUTHAUL_FILES: set it back to where"
                    " they are, or stop the server, copy the old folder's `exports` there and start"
                    " again"
                )
            files.write(_MARK, [catalog_id.encode()])
            holder = _holder(files)
    except StorageRefused as error:
        raise UnsafeSettings(
            "the object store at OUTHAUL_FILES refuses: is there such a bucket, are the keys right"
            " (for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role), and may they list,"
            " read, write and delete there?"
        ) from error
    if holder != catalog_id:
        raise UnsafeSettings(
            "the files at OUTHAUL_FILES belong to another catalog, and each would remove what the"
            " other one keeps: give every catalog a folder of its own, such as"
            " s3://bucket/production"
        )


def _holder(files: Files) -> str | None:
    try:
        return b"".join(files.read(_MARK)).decode()
    except FileMissing:
        return None


def _exists(files: Files, key: str) -> bool:
    try:
        files.size(key)
    except FileMissing:
        return False
    return True
