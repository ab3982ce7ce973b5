"""Reading a body: never more of it than allowed, counted after decompression, and never half of it."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

from lib.errors import Malformed, Refused, Transient

ACCEPT_ENCODING = "gzip, deflate"
HEAD_BYTES = 512 * 1024
_PIECE_BYTES = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


class TooLarge(Refused):
    """The body is over the limit. `head`: its first HEAD_BYTES, as far as the limit allowed them and they were kept."""

    def __init__(self, message: str, head: bytes = b"") -> None:
        super().__init__(message)
        self.head = head


async def read_body(chunks: AsyncIterator[bytes], encoding: str, max_bytes: int) -> bytes:
    """The decompressed body, whole. Arguments and errors are those of `body_pieces`; a TooLarge has its head."""
    pieces: list[bytes] = []
    try:
        async for piece in body_pieces(chunks, encoding, max_bytes):
            pieces.append(piece)  # noqa: PERF401 - what came before an error is its head
    except TooLarge as error:
        error.head = b"".join(pieces)[: min(max_bytes, HEAD_BYTES)]
        raise
    return b"".join(pieces)


async def body_pieces(chunks: AsyncIterator[bytes], encoding: str, max_bytes: int) -> AsyncIterator[bytes]:
    """The decompressed body as it comes. `encoding` is the Content-Encoding header, empty without one.

    Raises TooLarge past `max_bytes`, Transient when the compressed stream ends early, Malformed when it is not what
    its encoding says, or in an encoding that we did not ask for.
    """
    coding = encoding.strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise Malformed(f"content encoding {encoding[:40]!r}, which we did not ask for")
    if coding in ("", "identity"):
        size = 0
        async for chunk in chunks:
            yield chunk
            size += len(chunk)
            if size > max_bytes:
                raise TooLarge(f"a body over {max_bytes} bytes")
        return
    body = _Inflated(coding, max_bytes)
    async for chunk in chunks:
        for piece in body.feed(chunk):
            yield piece
    body.close()


class _Inflated:
    """A gzip or deflate stream, inflated in pieces so that a bomb is noticed after one piece too many."""

    def __init__(self, coding: str, max_bytes: int) -> None:
        self._window_bits = zlib.MAX_WBITS if coding == "deflate" else _GZIP
        self._max_bytes = max_bytes
        self._inflate: zlib._Decompress | None = None
        self._taken = 0
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the next compressed bytes hold. Raises TooLarge, Malformed."""
        self._taken += len(data)
        while data:
            if self._inflate is None:
                self._inflate = self._begin(data)
            elif self._inflate.eof:  # gzip allows members one after another, and zeros as padding
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._inflate = self._begin(data)
            try:
                piece = self._inflate.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise Malformed(f"compressed body: {error}") from error
            data = self._inflate.unused_data or self._inflate.unconsumed_tail
            self._size += len(piece)
            yield piece
            if max(self._size, self._taken) > self._max_bytes:
                raise TooLarge(f"a body over {self._max_bytes} bytes after decompression")

    def _begin(self, data: bytes) -> zlib._Decompress:
        if self._window_bits == zlib.MAX_WBITS and data[0] & 0x0F != 8:
            return zlib.decompressobj(-zlib.MAX_WBITS)  # many servers leave out the zlib header of RFC 9110's deflate
        return zlib.decompressobj(self._window_bits)

    def close(self) -> None:
        """Raises Transient when the stream has not come to its end."""
        if self._inflate is not None and not self._inflate.eof:
            raise Transient("the compressed body ends early")
