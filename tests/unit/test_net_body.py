"""Bodies: whole, within their limit, and what they say they are."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import Malformed, SourceError, Transient
from lib.net.body import TooLarge, read_body

TEXT = b"Pflegefachkraft (m/w/d) in Basel " * 400
RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED = RAW_DEFLATE.compress(TEXT) + RAW_DEFLATE.flush()


async def _chunks(data: bytes, size: int = 100) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [1, 100, 10**6])
@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), " GZIP "),
        (gzip.compress(TEXT) + bytes(50), "x-gzip"),
        (zlib.compress(TEXT), "deflate"),
        (DEFLATED, "deflate"),
    ],
)
async def test_whole_bodies(data: bytes, encoding: str, size: int) -> None:
    assert await read_body(_chunks(data, size), encoding, len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
async def test_empty_bodies(encoding: str) -> None:
    assert await read_body(_chunks(b""), encoding, 10) == b""


@pytest.mark.parametrize(
    ("data", "encoding", "error"),
    [
        (gzip.compress(TEXT)[:-9], "gzip", Transient),
        (zlib.compress(TEXT)[:50], "deflate", Transient),
        (TEXT, "gzip", Malformed),
        (gzip.compress(TEXT) + b"rest", "gzip", Malformed),
        (TEXT, "br", Malformed),
        (TEXT, "gzip, gzip", Malformed),
        (TEXT + b"!", "", TooLarge),
        (gzip.compress(TEXT + b"!"), "gzip", TooLarge),
        (gzip.compress(bytes(10**8)), "gzip", TooLarge),
        (gzip.compress(b"") * 1_000, "gzip", TooLarge),
    ],
)
async def test_bodies_that_cannot_be_handed_on(data: bytes, encoding: str, error: type[SourceError]) -> None:
    with pytest.raises(error) as caught:
        await read_body(_chunks(data, 10_000), encoding, len(TEXT))
    if isinstance(caught.value, TooLarge):
        assert len(caught.value.head) <= len(TEXT)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "gzip", "deflate", "x"]))
async def test_any_bytes_are_a_body_or_a_source_error(data: bytes, encoding: str) -> None:
    try:
        body = await read_body(_chunks(data, 7), encoding, 200)
    except SourceError:
        return
    assert len(body) <= 200
