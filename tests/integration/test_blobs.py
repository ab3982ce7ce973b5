"""Blobs in a local folder: stored once, read back verified, whatever lies there."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lib.store.blobs
from lib.store.blobs import BlobCorrupt, BlobMissing, Blobs, BlobsUnavailable, BlobTooLarge, PatientBlobs, key_of
from lib.store.connections import Link


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a folder"


@pytest.fixture
def blobs(folder: Path) -> Iterator[Blobs]:
    yield Blobs(folder.as_uri(), max_bytes=5_000_000)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(content=st.binary(max_size=2000))
async def test_what_was_put_comes_back(blobs: Blobs, content: bytes) -> None:
    assert await blobs.get(await blobs.put(content)) == content


async def test_large_content_comes_back(blobs: Blobs, folder: Path) -> None:
    content = os.urandom(1_000_000) + b"a" * 1_000_000
    key = await blobs.put(content)
    assert await blobs.get(key) == content
    assert (folder / key).stat().st_size < 1_100_000


async def test_the_same_content_is_one_file(blobs: Blobs, folder: Path) -> None:
    contents = [b"%d" % (number % 10) for number in range(100)]
    keys = await blobs.put_many(contents)
    assert keys == [key_of(content) for content in contents]
    assert len(files(folder)) == 10
    written = (folder / keys[0]).stat().st_mtime_ns
    await blobs.put(contents[0])
    assert (folder / keys[0]).stat().st_mtime_ns == written


async def test_the_layout_of_keys(blobs: Blobs, folder: Path) -> None:
    key = await blobs.put(b"")
    name = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert key == f"e3/b0/{name}.zst"
    assert (folder / key).exists()


async def test_many_write_and_read_one_blob_at_the_same_time(folder: Path) -> None:
    content = os.urandom(600_000)
    key = key_of(content)
    seen = 0

    async def write() -> None:
        await Blobs(folder.as_uri()).put(content)

    async def read() -> None:
        nonlocal seen
        try:
            assert await Blobs(folder.as_uri()).get(key) == content
        except BlobMissing:
            return
        seen += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(write)
            tasks.start_soon(read)
    await read()
    assert seen >= 1
    assert [path.name for path in files(folder)] == [Path(key).name]


@pytest.mark.parametrize("key", ["", "x", "../../etc/passwd", "ab/cd/" + "0" * 64 + ".zst", "\0", "e3/b0/é.zst"])
async def test_what_is_no_key_is_missing(blobs: Blobs, key: str) -> None:
    with pytest.raises(BlobMissing):
        await blobs.get(key)


async def test_a_blob_that_is_not_there_is_missing(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing, match=key_of(b"never stored")):
        await blobs.get(key_of(b"never stored"))


def _bomb() -> bytes:
    return zstandard.ZstdCompressor(level=19).compress(bytes(200_000_000))


def _bomb_of_unknown_size() -> bytes:
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    return compressor.compress(bytes(50_000_000)) + compressor.flush()


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"not zstd",
        zstandard.compress(b"other content"),
        zstandard.compress(b"content")[:-3],
        zstandard.compress(b"content") + b"more",
        _bomb(),
        _bomb_of_unknown_size(),
        bytes(6_000_000),
    ],
    ids=["empty", "garbage", "other", "cut", "extra", "bomb", "unknown-size", "huge"],
)
async def test_what_is_not_the_content_is_refused(blobs: Blobs, folder: Path, stored: bytes) -> None:
    key = await blobs.put(b"content")
    (folder / key).write_bytes(stored)
    with pytest.raises(BlobCorrupt, match=key):
        await blobs.get(key)


async def test_an_empty_file_is_written_again(blobs: Blobs, folder: Path) -> None:
    key = await blobs.put(b"content")
    (folder / key).write_bytes(b"")
    await blobs.put(b"content")
    assert await blobs.get(key) == b"content"


async def test_too_much_is_refused(blobs: Blobs, folder: Path) -> None:
    with pytest.raises(BlobTooLarge, match="5000001 bytes"):
        await blobs.put_many([b"fine", bytes(5_000_001)])


@pytest.mark.parametrize("url", ["nonsense", "s3://", "file:///dev/null/x"])
async def test_a_store_that_cannot_be_opened(url: str) -> None:
    with pytest.raises(BlobsUnavailable) as caught:
        await Blobs(url).put(b"x")
    assert "\n" not in str(caught.value)


async def test_a_store_that_fails_later(blobs: Blobs, folder: Path) -> None:
    key = await blobs.put(b"content")
    (folder / key).unlink()
    (folder / key).mkdir()  # reading a folder fails for root too
    with pytest.raises((BlobsUnavailable, BlobMissing)):
        await blobs.get(key)


async def test_the_loop_goes_on_while_large_content_is_compressed(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticked = threading.Event()

    def compress(content: bytes) -> bytes:
        assert ticked.wait(10), "nothing else ran meanwhile"
        return zstandard.compress(content)

    async def tick() -> None:
        await anyio.sleep(0.01)
        ticked.set()

    monkeypatch.setattr(lib.store.blobs, "_compress", compress)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        await blobs.put(bytes(300_000))


async def test_a_store_that_is_away_is_waited_for(tmp_path: Path) -> None:
    away = tmp_path / "blobs"
    away.write_text("a file where the folder should be")
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        away.unlink()

    patient = PatientBlobs(Blobs(away.as_uri()), Link("blobs", sleep=sleep))
    key = await patient.put(b"an answer")
    assert len(waited) == 1
    assert await Blobs(away.as_uri()).get(key) == b"an answer"
