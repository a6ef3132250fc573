import hashlib
import itertools
import random
import re
import zlib

from hypothesis import given
from hypothesis import strategies as st

from outhaul.archive.codecs import compressor_of
from outhaul.archive.deflate import SliceCompressor
from outhaul.domain.extras import Compression

BLOCK = 256 * 1024


def contacts(lines: int) -> bytes:
    """CSV text that compresses about as well as an export does."""
    chance = random.Random(7)
    return b"".join(
        f'"{chance.getrandbits(96):024x}","c{n}@ejemplo.es","Núñez, «Zoë» 🙂",,"{n}"\n'.encode()
        for n in range(lines)
    )


TEXT = contacts(lines=9_000)
"""Long enough for two whole blocks and a rest."""


def compressed(*texts) -> tuple[SliceCompressor, bytes]:
    compressor = SliceCompressor()
    parts = [compressor.write(text) for text in texts]
    return compressor, b"".join([*parts, compressor.finish()])


@given(cuts=st.lists(st.integers(0, len(TEXT)) | st.sampled_from([BLOCK - 1, BLOCK, BLOCK + 1])))
def test_same_bytes_however_the_text_is_cut(cuts):
    """The compressed bytes and all facts depend on the text alone, not on its chunks."""
    edges = [0, *sorted(cuts), len(TEXT)]
    pieces = [TEXT[a:b] for a, b in itertools.pairwise(edges)]
    whole, expected = compressed(TEXT)
    cut, actual = compressed(*pieces)
    assert actual == expected
    assert (cut.text_bytes, cut.crc32, cut.compressed_bytes, cut.sha256) == (
        whole.text_bytes,
        whole.crc32,
        whole.compressed_bytes,
        whole.sha256,
    )


def test_the_facts_are_those_of_the_text_and_of_the_compressed_bytes():
    """Lengths, CRC-32 of the text and SHA-256 of the output, as other libraries compute them."""
    compressor, output = compressed(TEXT)
    assert compressor.text_bytes == len(TEXT)
    assert compressor.crc32 == zlib.crc32(TEXT)
    assert compressor.compressed_bytes == len(output)
    assert compressor.sha256 == hashlib.sha256(output).hexdigest()


@given(st.lists(st.binary(max_size=2_000), max_size=4))
def test_slices_in_a_row_and_a_final_block_are_one_deflate_stream(texts):
    """Slices, even empty ones, inflate in sequence: each ends on a byte boundary, unfinished."""
    stream = b"".join(compressed(text)[1] for text in texts)
    inflate = zlib.decompressobj(wbits=-15)
    assert inflate.decompress(stream + b"\x03\x00") == b"".join(texts)
    assert inflate.eof
    assert inflate.unused_data == b""


def test_a_slice_does_not_lean_on_the_one_before():
    """A slice inflates on its own, without the text of its predecessors."""
    _, second = compressed(TEXT)
    assert zlib.decompressobj(wbits=-15).decompress(second) == TEXT


def test_buffers_of_any_kind_are_taken():
    """Views and byte arrays give what the same bytes give, and may be reused after `write`."""
    reused = bytearray(TEXT[:100_000])
    compressor = SliceCompressor()
    output = compressor.write(reused)
    reused[:] = bytes(100_000)
    output += compressor.write(memoryview(TEXT)[100_000:]) + compressor.finish()
    assert output == compressed(TEXT)[1]


def test_a_big_buffer_comes_out_while_it_is_written():
    """Nothing but the rest of a block is held back until the end."""
    compressor = SliceCompressor()
    ready = compressor.write(TEXT)
    inflated = zlib.decompressobj(wbits=-15).decompress(ready)
    assert len(TEXT) - len(inflated) < 2 * BLOCK


def test_the_compressor_names_its_version_and_level():
    """The manifest can say what made the bytes."""
    assert re.fullmatch(r"isal \d+\.\d+\.\d+", compressor_of(Compression.ZIP))
