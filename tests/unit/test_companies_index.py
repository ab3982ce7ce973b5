"""Parts of the Common Crawl index: lines, Parquet, pages of its API, and files that are fetched in pieces."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemons.companies import captures, columnar, parts
from daemons.companies.captures import (
    Tally,
    count_request,
    is_crawl,
    newest_crawl,
    page_request,
    read_count,
    read_lines,
)
from daemons.companies.domains import domain_table
from daemons.companies.parts import PIECE_BYTES, fetch_part, place_of
from daemons.companies.scanning import NoPart, packed_lines, table_of
from lib.errors import Malformed, Refused, Transient
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from tests.integration.index_parts import write_large_part, write_part

URL = "https://data.commoncrawl.org/cc-index/table/cc-main/warc/crawl=CC-MAIN-2026-25/subset=warc/part-0.parquet"


def tally(*names: str) -> Tally:
    return Tally(table_of(names))


def line(url: str, **more: str) -> bytes:
    return orjson.dumps({"urlkey": "x", "timestamp": "20260618175025", "url": url, "status": "200", **more})


def answer(value: object) -> Response:
    request = Request(url="https://index.commoncrawl.org/")
    return Response(request=request, url=request.url, status=200, headers={}, body=orjson.dumps(value))


def test_lines_are_counted_and_tenants_kept_once_however_they_are_spelt() -> None:
    found = tally()
    read_lines(
        [
            line("https://boards.greenhouse.io/Acme/jobs/1"),
            b"io,greenhouse,boards)/acme 20260618175025 " + line("https://boards.greenhouse.io/acme/jobs/2"),
            line("https://boards.greenhouse.io/", redirect="https://job-boards.greenhouse.io/other/jobs/3"),
            line("https://www.acme.example/"),
            line("https://evil.example/boards.greenhouse.io/acme"),
            b"",
            b"no json {",
            b"[1]",
            b'{"url": 5}',
        ],
        found,
    )
    assert (found.rows, found.matched, found.broken) == (8, 3, 3)
    assert found.rows_for_store() == [
        ("greenhouse", "Acme", "https://boards.greenhouse.io/Acme/jobs/1", 2),
        ("greenhouse", "other", "https://job-boards.greenhouse.io/other/jobs/3", 1),
    ]


@given(st.lists(st.binary(max_size=200), max_size=20))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_lines_are_counted(lines: list[bytes]) -> None:
    found = tally("greenhouse")
    read_lines(lines, found)
    assert found.rows == sum(1 for one in lines if one.strip())


CAPTURES: list[tuple[str, str | None]] = [
    ("https://boards.greenhouse.io/acme/jobs/1", None),
    ("https://boards.greenhouse.io/acme/jobs/2?gh_src=x", None),
    ("https://boards.greenhouse.io/embed/job_board?for=framed&b=1", None),
    ("https://boards.greenhouse.io/embed/job_board?for=framed2", None),
    ("https://boards.greenhouse.io/embed/job_app?for=framed3&token=1234567", None),
    ("https://boards-api.greenhouse.io/v1/boards/viaapi/jobs/1234567", None),
    ("https://jobs.smartrecruiters.com/oneclick-ui/company/Acme2026/publication/x", None),
    ("https://jobs.smartrecruiters.com/Acme2026/743999671674844-title", None),
    ("https://acme.jobs.personio.de/job/1834171", None),
    ("https://other.jobs.personio.de/job/1834172?language=de", None),
    ("https://acme.wd3.myworkdayjobs.com/de-DE/External/job/Berlin/X_R1", None),
    ("https://acme.wd3.myworkdayjobs.com/de-DE/Early2026/job/Berlin/X_R1", None),
    ("https://www.comeet.com/jobs/acme/F6.003/engineer/18.767", None),
    ("https://www.comeet.com/jobs/other/F6.004/engineer/18.767", None),
    ("https://apply.workable.com/acme/j/74172297A5/", None),
    ("https://join.com/companies/acme/15234567-product-manager", None),
    ("https://x1y2.fa.em2.oraclecloud.com/hcmUI/CandidateExperience/de/sites/CX_1/job/25587", None),
    ("https://x1y2.fa.em2.oraclecloud.com/hcmUI/CandidateExperience/de/sites/CX_1001/job/25587", None),
    ("https://boards.greenhouse.io/", "https://job-boards.greenhouse.io/moved/jobs/12345"),
    ("https://www.acme.example/greenhouse.io", None),
]


def test_parquet_parts_name_the_same_tenants_as_their_addresses_one_by_one(tmp_path: Path) -> None:
    """DuckDB joins captures before they are read: no tenant may be lost by that."""
    one_by_one, found = tally(), tally()
    read_lines([line(url, **({"redirect": to} if to else {})) for url, to in CAPTURES], one_by_one)
    columnar.scan(write_part(tmp_path / "part.parquet", CAPTURES), found)
    assert found.tenants.keys() == one_by_one.tenants.keys()
    assert len(found.tenants) >= 15
    assert found.times == one_by_one.times
    assert (found.rows, found.matched) == (one_by_one.rows, one_by_one.matched) == (len(CAPTURES), len(CAPTURES) - 1)


def test_parts_of_older_crawls_have_no_redirects(tmp_path: Path) -> None:
    found = tally()
    columnar.scan(write_part(tmp_path / "p", CAPTURES, without=frozenset({"fetch_redirect"})), found)
    assert ("greenhouse", "acme") in found.tenants
    assert ("greenhouse", "moved") not in found.tenants


def test_a_large_part_is_scanned_whole(tmp_path: Path) -> None:
    found = tally()
    columnar.scan(write_large_part(tmp_path / "p", 20_000, 100), found)
    assert (found.rows, found.matched, len(found.tenants)) == (20_000, 200, 100)


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1" + b"\xff" * 200)
    with pytest.raises(Malformed, match=r"broken\.parquet"):
        columnar.scan(broken, tally())
    other = write_part(tmp_path / "other", CAPTURES, without=frozenset({"url_path", "url_host_registered_domain"}))
    with pytest.raises(Malformed, match="no column url_host_registered_domain, url_path"):
        columnar.scan(other, tally())


@pytest.mark.parametrize("name", ["part[12].parquet", "a*b?.parquet", 'it\'s $1 "x".parquet', "ü%20 #.parquet"])
def test_a_file_s_name_means_that_file_alone(tmp_path: Path, name: str) -> None:
    for beside in ("part1.parquet", "axb1.parquet"):
        write_part(tmp_path / beside, [("https://jobs.lever.co/other", None)])
    found = tally()
    columnar.scan(write_part(tmp_path / name, [("https://jobs.lever.co/acme", None)]), found)
    assert found.tenants.keys() == {("lever", "acme")}


def test_a_part_is_read_by_a_database_that_reaches_nothing_else(tmp_path: Path) -> None:
    part, other = (write_part(tmp_path / name, CAPTURES) for name in ("part", "other"))
    with columnar._reader(part) as db:
        for statement in (
            f"SELECT * FROM read_parquet('{other}')",
            "SELECT * FROM read_text('/etc/hostname')",
            "SELECT * FROM read_parquet('https://127.0.0.1:9/x')",
            f"COPY (SELECT 1) TO '{tmp_path / 'written'}'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "SET memory_limit = '64GB'",
        ):
            with pytest.raises(duckdb.Error):
                db.execute(statement)
        limits = db.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
    assert limits == ("953.6 MiB", 2)


_ROW = "'boards.greenhouse.io' AS url_host_name, 'greenhouse.io' AS url_host_registered_domain"
_PLACE = "'/acme' AS url_path, NULL::VARCHAR AS url_query"
_ACME = "'https://boards.greenhouse.io/acme'"


@pytest.mark.parametrize(
    ("select", "tenants"),
    [
        (f"SELECT 'https://boards.greenhouse.io/' || repeat('a', 20000000) AS url, {_ROW}, {_PLACE}", 0),
        (f"SELECT {_ACME} AS url, {_ROW}, repeat('/a', 10000000) AS url_path, NULL::VARCHAR AS url_query", 0),
        (f"SELECT {_ACME} AS url, {_ROW}, {_PLACE}, repeat('b', 20000000) AS fetch_redirect", 1),
    ],
)
def test_absurdly_long_texts_are_left_out(tmp_path: Path, select: str, tenants: int) -> None:
    with duckdb.connect() as db:
        db.execute(f"COPY ({select}) TO '{tmp_path / 'part'}' (FORMAT parquet)")
    found = tally()
    columnar.scan(tmp_path / "part", found)
    assert (found.rows, len(found.tenants)) == (1, tenants)


@pytest.mark.parametrize("kind", ["BLOB", "VARCHAR[]"])
def test_columns_of_another_kind_are_no_part(tmp_path: Path, kind: str) -> None:
    value = "'x'::BLOB" if kind == "BLOB" else "['x']"
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT {value} AS url, {_ROW}, {_PLACE}) TO '{tmp_path / 'part'}' (FORMAT parquet)")
    with pytest.raises(Malformed, match="no column url"):
        columnar.scan(tmp_path / "part", tally())


def test_parts_that_are_cut_or_damaged_are_malformed(tmp_path: Path) -> None:
    whole = write_large_part(tmp_path / "whole", 20_000, 10).read_bytes()
    half = len(whole) // 2
    for number, body in enumerate((whole[:half], whole[:half] + whole[-3_000:], b"PAR1", whole[:200] + bytes(half))):
        path = tmp_path / f"broken{number}"
        path.write_bytes(body)
        with pytest.raises(Malformed):
            columnar.scan(path, tally())


def test_more_tenants_than_there_can_be_are_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "_MAX_TENANTS", 100)
    with pytest.raises(Malformed, match="100 tenants"):
        read_lines([line(f"https://jobs.lever.co/acme{number}") for number in range(200)], tally())


def test_the_index_api_is_asked_by_domain_and_page() -> None:
    ask = count_request("CC-MAIN-2026-25", "greenhouse.io")
    assert ask.url == (
        "https://index.commoncrawl.org/CC-MAIN-2026-25-index?url=%2A.greenhouse.io&output=json&showNumPages=true"
    )
    assert page_request("CC-MAIN-2026-25", "greenhouse.io", 7).url.endswith("&output=json&page=7")
    assert read_count(answer({"pages": 5, "pageSize": 5, "blocks": 21})) == 5
    for broken in ({"pages": -1}, {"pages": True}, {"pages": 10**9}, {}):
        with pytest.raises(Malformed):
            read_count(answer(broken))


def test_the_newest_crawl_is_found_in_the_list_of_all() -> None:
    listed = [{"id": "CC-MAIN-2025-30"}, {"id": "CC-MAIN-2026-04"}, {"id": "CC-MAIN-2025-33"}, {"id": 5}, "x"]
    assert newest_crawl(answer(listed)) == "CC-MAIN-2026-04"
    assert is_crawl("CC-MAIN-2026-04")
    assert not is_crawl("CC-MAIN-2026-04/../x")
    with pytest.raises(Malformed):
        newest_crawl(answer([{"id": "CC-NEWS"}]))


def test_only_chosen_sources_are_looked_for() -> None:
    assert set(table_of(["lever"])) == {"lever.co"}
    assert table_of([]) == domain_table()
    with pytest.raises(NoPart, match="monster"):
        table_of(["lever", "monster"])


class Shelf:
    """A server of one file: gives parts of it, fails when told to, and may change the file in between."""

    def __init__(self, body: bytes, etag: str = '"v1"') -> None:
        self.body, self.etag = body, etag
        self.asked: list[str] = []
        self.before: Callable[[int], None] = lambda number: None

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        self.asked.append(request.headers["Range"])
        self.before(len(self.asked))
        first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        if request.headers.get("If-Range", self.etag) != self.etag:
            if len(self.body) > request.max_bytes:
                raise Refused("too large")
            return self._answer(request, 200, self.body)
        if first >= len(self.body):
            raise Transient("status 416", 416)
        piece = self.body[first : last + 1]
        said = {"content-range": f"bytes {first}-{first + len(piece) - 1}/{len(self.body)}"}
        return self._answer(request, 206, piece, said)

    def _answer(self, request: Request, status: int, body: bytes, more: dict[str, str] | None = None) -> Response:
        headers = {"etag": self.etag} | (more or {})
        return Response(request=request, url=request.url, status=status, headers=headers, body=body)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PIECE_BYTES", 1_000)
    monkeypatch.setattr(parts, "full_jitter_delays", lambda rng: iter([0.0] * 100))


async def test_a_file_comes_in_pieces_and_goes_on_where_it_stopped(tmp_path: Path, small_pieces: None) -> None:
    shelf = Shelf(random.Random(1).randbytes(3_500))

    def cut(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    shelf.before = cut
    with pytest.raises(KeyboardInterrupt):
        await fetch_part(shelf, URL, tmp_path, random.Random(1))
    shelf.before = lambda number: None
    told: list[tuple[int, int]] = []
    place = await fetch_part(shelf, URL, tmp_path, random.Random(1), lambda held, whole: told.append((held, whole)))
    assert place.read_bytes() == shelf.body
    assert shelf.asked == ["bytes=0-999", "bytes=1000-1999", "bytes=2000-2999", "bytes=2000-2999", "bytes=3000-3999"]
    assert told == [(3_000, 3_500), (3_500, 3_500)]
    assert [one.name for one in tmp_path.iterdir()] == [place.name]
    await fetch_part(shelf, URL, tmp_path, random.Random(1))
    assert len(shelf.asked) == 5, "what is held is not fetched again"


async def test_a_file_that_changed_is_fetched_anew(tmp_path: Path, small_pieces: None) -> None:
    shelf = Shelf(b"a" * 2_500)

    def change(number: int) -> None:
        if number == 3:
            shelf.body, shelf.etag = b"b" * 900, '"v2"'

    shelf.before = change
    assert (await fetch_part(shelf, URL, tmp_path, random.Random(1))).read_bytes() == b"b" * 900


async def test_passing_failures_are_tried_again_and_lasting_ones_raised(tmp_path: Path, small_pieces: None) -> None:
    shelf = Shelf(b"c" * 1_500)

    def fail(number: int) -> None:
        if number in (1, 3):
            raise Transient("reset")

    shelf.before = fail
    assert (await fetch_part(shelf, URL, tmp_path, random.Random(1))).read_bytes() == shelf.body

    def away(number: int) -> None:
        raise Transient("away")

    shelf.before = away
    with pytest.raises(Transient):
        await fetch_part(shelf, URL + "2", tmp_path, random.Random(1))


async def test_senseless_ranges_and_endless_files_are_refused(tmp_path: Path, small_pieces: None) -> None:
    class Liar(Shelf):
        said = ""

        async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
            given = await super().send(request)
            return msgspec.structs.replace(given, headers={**given.headers, "content-range": self.said})

    for said in ("", "bytes 5-1004/2000", "bytes 0-5/2000", f"bytes 0-999/{parts.MAX_FILE_BYTES + 1}", "bytes x"):
        liar = Liar(b"d" * 2_000)
        liar.said = said
        with pytest.raises((Malformed, Refused)):
            await fetch_part(liar, URL, tmp_path, random.Random(1))


def test_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    other = URL.replace("2026-25", "2026-21")
    assert place_of(URL, tmp_path) != place_of(other, tmp_path)
    assert place_of("https://x.example/..%2f/\udc00?a=/../..", tmp_path).parent == tmp_path
    assert PIECE_BYTES <= 64_000_000


def test_packed_lines_that_end_early_are_malformed(tmp_path: Path) -> None:
    whole = gzip.compress(b"\n".join([line("https://jobs.lever.co/acme")] * 500))
    path = tmp_path / "cdx.gz"
    path.write_bytes(whole)
    assert len(list(packed_lines(path))) == 500
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Malformed):
        list(packed_lines(path))
