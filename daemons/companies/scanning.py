"""Scanning the Common Crawl index: files on disk, files to be fetched, and pages of the index API, each part once."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import anyio
import anyio.to_thread

from daemons.companies import candidates, columnar
from daemons.companies.captures import (
    COLLECTIONS,
    MAX_LINE_BYTES,
    Tally,
    count_request,
    is_crawl,
    newest_crawl,
    page_request,
    read_count,
    read_lines,
)
from daemons.companies.domains import domain_table
from daemons.companies.looking import Fetch
from daemons.companies.parts import fetch_part
from lib.errors import Gone, Malformed, VakanzError
from lib.net.messages import Request
from lib.posting.contract import Source
from lib.store.connections import Database

_DATA = "https://data.commoncrawl.org/"
_PARQUET = b"PAR1"


class NoPart(VakanzError):
    """What was given is no part of the index."""


@dataclass(frozen=True)
class Scanned:
    """A part that was scanned: its captures, those of known domains, tenants named, and those nobody knew before."""

    address: str
    rows: int
    matched: int
    broken: int
    tenants: int
    new: int


@dataclass
class Scanner:
    """Scans parts into the table of candidates. `progress`: told what is being done, how far it is, and of how much."""

    database: Database
    client: Fetch | None
    folder: Path
    rng: random.Random
    table: Mapping[str, tuple[Source, ...]]
    progress: Callable[[str, int, int], None] = lambda what, done, whole: None

    @property
    def domains(self) -> str:
        """A digest of the domains that are looked for: with others, a part is worth another scan."""
        return blake2b(" ".join(sorted(self.table)).encode(), digest_size=8).hexdigest()

    async def parts(self, what: str) -> list[str]:
        """The parts that an argument means: a file, a folder, an address, a list of addresses (.paths.gz), or a crawl
        (CC-MAIN-2026-25, or latest) by its index API. Raises NoPart, and what fetching raises."""
        if what == "latest" or is_crawl(what):
            return await self._of_crawl(what)
        if _is_address(what):
            if not what.endswith(".paths.gz"):
                return [what]
            listed = await self._fetched(what)
            lines = [line.decode("utf-8", "replace").strip() for line in packed_lines(listed)]
            return [_DATA + line for line in lines if line.endswith(".parquet") and "subset=warc" in line]
        path = Path(what).resolve()
        if path.is_dir():
            found = sorted(
                str(one) for one in path.rglob("*") if one.is_file() and one.suffix in (".parquet", ".gz", ".jsonl")
            )
            if not found:
                raise NoPart(f"{what} holds no part of the index: .parquet, .gz or .jsonl")
            return found
        if path.is_file():
            return [str(path)]
        raise NoPart(f"{what} is no file, folder, address or crawl (CC-MAIN-2026-25)")

    async def scan(self, address: str) -> Scanned:
        """Scans one part and writes its candidates. Raises Malformed, and what fetching raises."""
        tally = Tally(self.table)
        local = not _is_address(address)
        if local or "-index?" not in address:
            path = Path(address) if local else await self._fetched(address)
            try:
                await anyio.to_thread.run_sync(_scan_file, path, tally, abandon_on_cancel=True)
            except Malformed:
                if not local:  # it may have been cut on its way: it is fetched anew
                    path.unlink(missing_ok=True)
                raise
        else:
            path = None
            read_lines(await self._page(address), tally)
        rows = tally.rows_for_store()
        new = await candidates.add_part(self.database, (address, self.domains), (tally.rows, tally.matched), rows)
        if path is not None and not local:
            path.unlink(missing_ok=True)
        return Scanned(address, tally.rows, tally.matched, tally.broken, len(rows), new)

    async def _of_crawl(self, crawl: str) -> list[str]:
        """The pages that the index API has for each domain; a domain without captures has none."""
        client = self._online()
        if crawl == "latest":
            crawl = newest_crawl(await client.send(Request(url=COLLECTIONS, documented_api=True)))
        parts = []
        for number, domain in enumerate(self.table):
            self.progress(f"asking for {domain}", number, len(self.table))
            try:
                pages = read_count(await client.send(count_request(crawl, domain)))
            except Gone:
                continue
            parts += [page_request(crawl, domain, page).url for page in range(pages)]
        return parts

    async def _page(self, url: str) -> Sequence[bytes]:
        request = Request(url=url, timeout_s=180.0, max_bytes=200_000_000, documented_api=True)
        try:
            return (await self._online().send(request)).body.splitlines()
        except Gone:  # "No Captures found"
            return ()

    async def _fetched(self, url: str) -> Path:
        name = url.rpartition("/")[2]
        return await fetch_part(
            self._online(),
            url,
            self.folder,
            self.rng,
            lambda held, whole: self.progress(f"fetching {name}", held, whole),
        )

    def _online(self) -> Fetch:
        if self.client is None:
            raise NoPart("only files are scanned without a client")
        return self.client


def is_remote(what: str) -> bool:
    """Whether an argument needs the client."""
    return what == "latest" or is_crawl(what) or _is_address(what)


def _is_address(what: str) -> bool:
    return what.startswith(("http://", "https://"))


def table_of(names: Sequence[str]) -> dict[str, tuple[Source, ...]]:
    """The domains of these sources, or of all. Raises NoPart for a name without domains."""
    table = domain_table()
    chosen = {
        domain: kept
        for domain, sources in table.items()
        if (kept := tuple(one for one in sources if not names or one.name in names))
    }
    missing = set(names) - {source.name for sources in chosen.values() for source in sources}
    if missing:
        raise NoPart(f"no source with domains of its own is called {', '.join(sorted(missing))}")
    return chosen


def _scan_file(path: Path, tally: Tally) -> None:
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == _PARQUET
        if parquet:
            columnar.scan(path, tally)
        else:
            read_lines(packed_lines(path), tally)
    except OSError as error:
        raise NoPart(f"{path}: {error.strerror or error}") from error
    if tally.rows and tally.broken == tally.rows:
        raise Malformed(f"{path.name} is no part of the index: none of its lines can be read")


def packed_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, unpacked where it is packed; one that never ends comes in pieces. Raises Malformed."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                yield line
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise Malformed(f"{path.name}: {error}") from error
