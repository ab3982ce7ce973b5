"""Fetching large files of the index to disk: in pieces of bounded size, going on where an earlier try ended."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import anyio

from daemons.companies.looking import Fetch
from lib.backoff import full_jitter_delays
from lib.errors import Malformed, RateLimited, Refused, Transient, VakanzError
from lib.net.messages import Request, Response

PIECE_BYTES = 32_000_000
MAX_FILE_BYTES = 6_000_000_000
_KEEP_FREE_BYTES = 2_000_000_000
_TRIES = 6
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


class DiskFull(VakanzError):
    """Too little room is left on the disk to go on."""


def place_of(url: str, folder: Path) -> Path:
    """Where the file at `url` is kept: under its name, told apart from others of that name."""
    name = re.sub(r"[^\w.-]", "_", url.rstrip("/").rpartition("/")[2], flags=re.ASCII)[-80:] or "part"
    return folder / f"{blake2b(url.encode('utf-8', 'replace'), digest_size=6).hexdigest()}-{name}"


async def fetch_part(
    client: Fetch,
    url: str,
    folder: Path,
    rng: random.Random,
    progress: Callable[[int, int], None] = lambda held, whole: None,
) -> Path:
    """The file at `url`, whole and on disk. What an earlier try left is gone on from while the file is the same one.

    `progress` is told how many bytes are held, and of how many. Raises DiskFull, and what `Fetcher.send` raises when
    the last of several tries fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    growing = _Growing(place_of(url, folder))
    delays, failed = full_jitter_delays(rng), 0
    while not growing.place.exists():
        try:
            growing.take(await client.send(growing.request(url)))
        except (Transient, RateLimited) as error:
            failed += 1
            if failed == _TRIES:
                raise
            if isinstance(error, Transient) and error.status == 416:  # it is shorter than what we hold: another file
                growing.forget()
            await anyio.sleep(next(delays))
            continue
        failed = 0
        progress(growing.held, growing.whole)
    return growing.place


class _Growing:
    """A file that is fetched piece by piece, beside a note of which version of it is on disk."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.whole = 0
        self._file = place.with_name(f"{place.name}.part")
        self._version = place.with_name(f"{place.name}.version")

    @property
    def held(self) -> int:
        """Bytes on disk."""
        file = self.place if self.place.exists() else self._file
        return file.stat().st_size if file.exists() else 0

    def forget(self) -> None:
        """Begins anew."""
        self._file.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)

    def request(self, url: str) -> Request:
        """Asks for the next piece, of the same version as those before."""
        if not self._version.exists():
            self.forget()
        headers = {"Range": f"bytes={self.held}-{self.held + PIECE_BYTES - 1}"}
        if self.held:
            headers["If-Range"] = self._version.read_text(encoding="utf-8")
        # Common Crawl's documentation tells programs to fetch these files; robots.txt speaks to crawlers of pages.
        return Request(url=url, headers=headers, timeout_s=300.0, max_bytes=PIECE_BYTES, documented_api=True)

    def take(self, response: Response) -> None:
        """Adds a piece; with the last one the file gets its name. Raises Malformed, Refused, DiskFull."""
        begins, self.whole = _said(response)
        if begins not in (0, self.held):
            raise Malformed(f"bytes from {self.held} on were asked for, those from {begins} on came")
        if self.whole > MAX_FILE_BYTES:
            raise Refused(f"a file of {self.whole} bytes")
        if shutil.disk_usage(self.place.parent).free < len(response.body) + _KEEP_FREE_BYTES:
            raise DiskFull(f"{self.place.parent}: less than {_KEEP_FREE_BYTES // 1_000_000} MB would be left")
        if begins == 0:
            self._version.write_text(_mark(response), encoding="utf-8")
        with self._file.open("ab" if begins else "wb") as file:
            file.write(response.body)
        if self.held >= self.whole:
            self._file.rename(self.place)
            self._version.unlink(missing_ok=True)


def _said(response: Response) -> tuple[int, int]:
    """Where the body begins in the file, and how long the whole file is. Raises Malformed."""
    if response.status != 206:
        return 0, len(response.body)
    match = _RANGE.fullmatch(response.headers.get("content-range", ""))
    if match is None or int(match[2]) - int(match[1]) + 1 != len(response.body) or not response.body:
        raise Malformed("a part of a file without a sane Content-Range")
    return int(match[1]), int(match[3])


def _mark(response: Response) -> str:
    """What this version of the file is known by; a piece of a file without any is never added to."""
    strong = response.headers.get("etag", "")
    return strong if strong and not strong.startswith("W/") else response.headers.get("last-modified", '"none"')
