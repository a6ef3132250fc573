"""One slice of text compressed on its own, the same bytes however the text arrives.

A compressor's output depends on how its input is cut. So the text is cut again, into blocks of one
fixed length counted from the slice's start, and only these reach the compressor.
"""

import hashlib
from typing import TYPE_CHECKING

from isal import isal_zlib

from outhaul.archive.codecs import codec_of
from outhaul.domain.extras import Compression

if TYPE_CHECKING:
    from typing_extensions import Buffer  # the checker's stand-in for 3.12's collections.abc.Buffer

_BLOCK_BYTES = 256 * 1024


class SliceCompressor:
    """Compresses one slice, and keeps the facts that a ZIP and a manifest need of it.

    The output of `write` and `finish`, joined, is what `codecs` says of a slice: slices can stand
    one after another in one file (see `container` and `stream`). The facts are complete once
    `finish` has returned. One compressor belongs to one thread at a time; the work is done without
    the GIL.

        compressor = SliceCompressor()
        compressed = [compressor.write(text) for text in texts] + [compressor.finish()]
    """

    def __init__(self, compression: Compression = Compression.ZIP) -> None:
        self._codec = codec_of(compression)
        self._rest = bytearray()
        self._hash = hashlib.sha256()
        self._text_bytes = 0
        self._crc32 = 0
        self._compressed_bytes = 0

    def write(self, text: "Buffer") -> bytes:
        """Take any length of text; returns what is ready of the compressed bytes, often nothing.

        `text` may be changed by its owner once this has returned.
        """
        view = memoryview(text).cast("B")
        self._text_bytes += len(view)
        self._crc32 = isal_zlib.crc32(view, self._crc32)
        start = 0
        ready = []
        if self._rest:
            start = min(_BLOCK_BYTES - len(self._rest), len(view))
            self._rest += view[:start]
            if len(self._rest) == _BLOCK_BYTES:
                ready.append(self._codec.compress(self._rest))
                self._rest = bytearray()
        while len(view) - start >= _BLOCK_BYTES:
            ready.append(self._codec.compress(view[start : start + _BLOCK_BYTES]))
            start += _BLOCK_BYTES
        self._rest += view[start:]
        return self._counted(b"".join(ready))

    def finish(self) -> bytes:
        """End the slice on a byte boundary; returns the last of its compressed bytes."""
        last = self._codec.compress(self._rest) + self._codec.end()
        self._rest = bytearray()
        return self._counted(last)

    def _counted(self, compressed: bytes) -> bytes:
        self._compressed_bytes += len(compressed)
        self._hash.update(compressed)
        return compressed

    @property
    def text_bytes(self) -> int:
        """Length of the text."""
        return self._text_bytes

    @property
    def crc32(self) -> int:
        """CRC-32 of the text."""
        return self._crc32

    @property
    def compressed_bytes(self) -> int:
        """Length of the compressed bytes."""
        return self._compressed_bytes

    @property
    def sha256(self) -> str:
        """Hex digest of the compressed bytes."""
        return self._hash.hexdigest()
