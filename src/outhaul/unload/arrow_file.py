"""Rows in a file of Arrow batches: an IPC stream, compressed by gzip.

Such a file takes little more than half the processor time of Parquet, which looks for repeated
values in every column (docs/decisions/0017).
"""

import io
from collections.abc import Callable, Iterator

import nanoarrow
from isal import igzip, isal_zlib
from nanoarrow.ipc import InputStream, StreamWriter

from outhaul.domain.cancellation import Cancellation
from outhaul.store.reader import SmallBatches

_GZIP = 31
_LEVEL = 1
_READ_BYTES = 1 << 20


class ArrowEncoder:
    """Makes one such file."""

    def __init__(self) -> None:
        self.rows = 0
        """How many have been read so far."""

    def pieces(self, batches: SmallBatches, cancellation: Cancellation) -> Iterator[bytes]:
        """The file of these rows, piece by piece; nothing at all where there are none. Raises
        Cancelled, and what reading the rows raises."""
        gzip = isal_zlib.compressobj(level=_LEVEL, wbits=_GZIP)
        text = io.BytesIO()
        with (
            nanoarrow.c_array_stream(batches) as stream,
            StreamWriter.from_writable(text) as writer,
        ):
            for array in stream:
                cancellation.check()
                if not array.length:
                    continue
                writer.write_array(array)
                self.rows += array.length
                yield gzip.compress(text.getvalue())
                text.seek(0)
                text.truncate()
        if self.rows:
            # The writer has closed the stream with its mark.
            yield gzip.compress(text.getvalue()) + gzip.flush()


class ArrowFile:
    """The rows of such a file, as often as an engine asks for them."""

    def __init__(self, open_file: Callable[[], io.RawIOBase]) -> None:
        self._open_file = open_file

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        file = io.BufferedReader(self._open_file(), _READ_BYTES)
        text = igzip.open(file)  # type: ignore[no-untyped-call]  # isal has types for all but this
        stream = nanoarrow.c_array_stream(InputStream.from_readable(text))
        return stream.__arrow_c_stream__(requested_schema)
