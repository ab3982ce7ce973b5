"""Raw answers, kept under the hash of their content: the same content is one blob, whoever stores it, however often.

A key is `ab/cd/<SHA-256 in hex>.zst`, the hash being that of the uncompressed content. A blob is written whole or not
at all, never changed, and checked against its name whenever it is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import anyio
import anyio.to_thread

from lib.errors import VakanzError
from lib.store.connections import Link

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class Put(Protocol):
    """Where raw answers go."""

    async def put(self, content: bytes) -> str:
        """Stores `content` and returns its key."""


class Store(Put, Protocol):
    """Where raw answers go and come back from."""

    async def get(self, key: str) -> bytes:
        """The content. Raises BlobMissing, BlobCorrupt."""


T = TypeVar("T")
_KEY = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})\.zst")
_INLINE_BYTES = 256 * 1024  # compressing more than this holds up the event loop for milliseconds
_AT_ONCE = 16
_LEVEL = 3


class BlobMissing(VakanzError):
    """There is no such blob."""


class BlobCorrupt(VakanzError):
    """What lies under this key is not the content that the key names."""


class BlobTooLarge(VakanzError):
    """More content than a blob may have."""


class BlobsUnavailable(VakanzError):
    """The store does not answer, is full, or refuses us: the same call may succeed later."""


class Blobs:
    """The blobs below `url`: `file:///folder` or `s3://bucket/prefix` (credentials from the environment, as S3's own
    tools read them). `max_bytes` bounds one content, in and out.
    """

    def __init__(self, url: str, *, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._opened: ObjectStore | None = None
        self._places = anyio.CapacityLimiter(_AT_ONCE)

    async def put(self, content: bytes) -> str:
        """Stores `content` and returns its key. Raises BlobTooLarge, BlobsUnavailable."""
        if len(content) > self._max_bytes:
            raise BlobTooLarge(f"{len(content)} bytes, a blob may have {self._max_bytes}")
        key = await _off_loop(len(content), lambda: key_of(content))
        import obstore

        async with self._places:
            if await self._has(key):
                return key
            compressed = await _off_loop(len(content), lambda: _compress(content))
            try:
                await obstore.put_async(self._store(), key, compressed)
            except (obstore.exceptions.BaseError, OSError) as error:
                raise BlobsUnavailable(f"{key} was not stored: {_one_line(error)}") from error
        return key

    async def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Stores all `contents`, some at a time, and returns their keys in order. Raises what `put` raises."""
        keys = [""] * len(contents)
        failed: list[VakanzError] = []

        async def one(index: int, content: bytes) -> None:
            try:
                keys[index] = await self.put(content)
            except VakanzError as error:
                failed.append(error)
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for index, content in enumerate(contents):
                tasks.start_soon(one, index, content)
        if failed:
            raise failed[0]
        return keys

    async def get(self, key: str) -> bytes:
        """The content. Raises BlobMissing, BlobCorrupt, BlobsUnavailable."""
        if not _KEY.fullmatch(key):
            raise BlobMissing(f"{key[:100]!r} is not the key of a blob")
        import obstore

        try:
            answer = await obstore.get_async(self._store(), key)
            if answer.meta["size"] > self._max_bytes + 1024:  # zstd adds a few bytes to what it cannot compress
                raise BlobCorrupt(f"{key} has {answer.meta['size']} stored bytes, more than any blob of ours")
            stored = bytes(await answer.bytes_async())
        except (obstore.exceptions.NotFoundError, FileNotFoundError) as error:
            raise BlobMissing(f"there is no blob {key}") from error
        except (obstore.exceptions.BaseError, OSError) as error:
            raise BlobsUnavailable(f"{key} was not read: {_one_line(error)}") from error
        content = await _off_loop(len(stored), lambda: _decompress(key, stored, self._max_bytes))
        if await _off_loop(len(content), lambda: key_of(content)) != key:
            raise BlobCorrupt(f"{key} holds other content than its name says")
        return content

    async def _has(self, key: str) -> bool:
        import obstore

        try:
            meta = await obstore.head_async(self._store(), key)
        except (obstore.exceptions.NotFoundError, FileNotFoundError):
            return False
        except (obstore.exceptions.BaseError, OSError) as error:
            raise BlobsUnavailable(f"{key} was not looked up: {_one_line(error)}") from error
        return meta["size"] > 0  # an empty file is what a power cut can leave of a new one: it is written again

    def _store(self) -> ObjectStore:
        if self._opened is None:
            # Imported at the first use: most daemons never touch a blob, and this keeps them small.
            from obstore.exceptions import BaseError
            from obstore.store import LocalStore, from_url

            try:
                local = self._url.startswith("file:")
                self._opened = LocalStore.from_url(self._url, mkdir=True) if local else from_url(self._url)
            except (BaseError, OSError, ValueError) as error:
                raise BlobsUnavailable(f"{self._url} cannot be opened: {_one_line(error)}") from error
        return self._opened


class PatientBlobs:
    """Blobs that are waited for: a full disk or a store that is away holds work up, says so once, and loses nothing."""

    def __init__(self, blobs: Blobs, link: Link) -> None:
        self._blobs = blobs
        self._link = link

    async def put(self, content: bytes) -> str:
        """Stores `content` and returns its key, however long that takes. Raises BlobTooLarge."""
        return await self._link.call(lambda: self._blobs.put(content), _unavailable)

    async def get(self, key: str) -> bytes:
        """The content, however long that takes. Raises BlobMissing, BlobCorrupt."""
        return await self._link.call(lambda: self._blobs.get(key), _unavailable)


def _unavailable(error: BaseException) -> bool:
    return isinstance(error, BlobsUnavailable)


def key_of(content: bytes) -> str:
    """The key that `content` has in every store."""
    name = hashlib.sha256(content).hexdigest()
    return f"{name[:2]}/{name[2:4]}/{name}.zst"


def digest_of(key: str) -> bytes:
    """The SHA-256 of the content that lies under `key`."""
    return bytes.fromhex(key.rpartition("/")[2].removesuffix(".zst"))


def _compress(content: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress(content)


def _decompress(key: str, stored: bytes, max_bytes: int) -> bytes:
    """Allocates only what the frame announces, after that was found acceptable."""
    import zstandard

    try:
        announced = zstandard.frame_content_size(stored)
        if not 0 <= announced <= max_bytes:
            raise BlobCorrupt(f"{key} announces {announced} bytes of content, a blob may have {max_bytes}")
        if announced == 0:
            return b""
        return zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise BlobCorrupt(f"{key} cannot be decompressed: {error}") from error


async def _off_loop(size: int, work: Callable[[], T]) -> T:
    return work() if size <= _INLINE_BYTES else await anyio.to_thread.run_sync(work)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).partition("Debug source:")[0].split())[:300]
