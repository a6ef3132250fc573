"""What compresses a slice: deflate for ZIP and gzip, zstd.

ZIP and gzip: a raw deflate stream that ends on a byte boundary and refers to nothing before its
start, but has no final block. zstd: one frame with the checksum of its text. Both can stand one
after another and are read as one text.
"""

from typing import TYPE_CHECKING, Protocol

import isal
import zstandard
from isal import isal_zlib

from outhaul.domain.extras import Compression

if TYPE_CHECKING:
    from typing_extensions import Buffer  # the checker's stand-in for 3.12's collections.abc.Buffer

LEVEL = 1
"""Of every codec: higher levels cost more time than they save on the way."""
RAW_DEFLATE = -15


class Codec(Protocol):
    """Compresses one slice; the work is done without the GIL."""

    def compress(self, text: "Buffer") -> bytes:
        """What is ready of the compressed bytes, often nothing."""
        ...

    def end(self) -> bytes:
        """The last of them."""
        ...


class _Deflate:
    def __init__(self) -> None:
        self._stream = isal_zlib.compressobj(level=LEVEL, wbits=RAW_DEFLATE)

    def compress(self, text: "Buffer") -> bytes:
        return self._stream.compress(text)

    def end(self) -> bytes:
        return self._stream.flush(isal_zlib.Z_FULL_FLUSH)


class _Zstd:
    def __init__(self) -> None:
        compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self._frame = compressor.compressobj()

    def compress(self, text: "Buffer") -> bytes:
        return self._frame.compress(memoryview(text))

    def end(self) -> bytes:
        return self._frame.flush()


def codec_of(compression: Compression) -> Codec:
    """A new codec for one slice."""
    return _Zstd() if compression is Compression.ZSTD else _Deflate()


def compressor_of(compression: Compression) -> str:
    """What makes the compressed bytes; they are only promised to repeat under the same name."""
    if compression is Compression.ZSTD:
        return f"zstd {'.'.join(map(str, zstandard.ZSTD_VERSION))}"
    return f"isal {isal.__version__}"
