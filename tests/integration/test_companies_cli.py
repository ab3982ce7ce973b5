"""`vakanz board detect`, `board add` and `vakanz companies` as an operator meets them: real processes, real servers."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import orjson
import pytest

from tests.integration.commands import vakanz
from tests.integration.index_parts import write_part
from tests.sim import Market
from tests.sim.overpass import URL, Web, way_of

_ROOT = Path(__file__).parents[2]
_MARKET = ("--seed", "5", "--companies", "20", "--postings", "40")


@pytest.fixture
def market() -> Iterator[str]:
    """The address of a simulated market in a process of its own."""
    command = [sys.executable, "-m", "tests.sim", *_MARKET]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def test_a_saved_page_is_looked_at_without_any_server(environment: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "karriere.html"
    page.write_text("<iframe src='https://acme.jobs.personio.de/'></iframe><a href='https://jobs.lever.co/b'>x</a>")
    found = rows(vakanz(environment | {"VAKANZ_DSN": "postgresql://nowhere"}, "board", "detect", str(page), "--json"))
    assert [(one["source"], one["tenant"], one["how"], one["best"]) for one in found] == [
        ("personio", "acme", "embed", True),
        ("lever", "b", "mention", False),
    ]
    assert "acme" in vakanz(environment, "board", "detect", str(page)).stdout
    page.write_text("<p>Impressum</p>")
    nothing = vakanz(environment, "board", "detect", str(page))
    assert (nothing.returncode, nothing.stdout.strip()) == (1, "no board of a known system")


def test_an_address_says_its_board_without_any_server_or_contact(environment: dict[str, str]) -> None:
    nowhere = environment | {"VAKANZ_DSN": "postgresql://nowhere", "VAKANZ_REDIS_URL": "redis://127.0.0.1:1"}
    (found,) = rows(vakanz(nowhere, "board", "detect", "https://jobs.lever.co/acme/123", "--json"))
    assert (found["source"], found["tenant"], found["how"]) == ("lever", "acme", "address")


@pytest.mark.parametrize("what", ["/nowhere/page.html", "/", "www.acme.example/karriere"])
def test_what_is_neither_a_file_nor_an_address_is_bad_usage(environment: dict[str, str], what: str) -> None:
    done = vakanz(environment | {"COLUMNS": "200"}, "board", "detect", what)
    assert done.returncode == 2
    assert "an address begins with https://" in done.stderr


def test_what_leads_to_no_board_says_what_to_do_instead(environment: dict[str, str], market: str) -> None:
    with urlopen(f"{market}/_sim/boards") as answer:
        page = next(one["url"] for one in orjson.loads(answer.read()) if one["source"] == "careers")
    done = vakanz(environment | {"VAKANZ_SIMULATOR": market}, "board", "add", page)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"`vakanz careers add {page}`" in done.stderr
    written = vakanz(environment, "board", "add", "www.acme.example/karriere")
    assert (written.returncode, written.stdout) == (1, "")
    assert "https://... is expected" in written.stderr


def test_a_careers_page_is_fetched_and_its_board_registered(environment: dict[str, str], market: str) -> None:
    offered = Web(Market(5, 20, 40))
    domain, board = next((host, one) for host, one, _ in offered.ways() if way_of(one).__name__ == "_frame")
    page = f"https://www.{domain}/karriere"
    online = environment | {"VAKANZ_SIMULATOR": market}
    (found,) = rows(vakanz(online, "board", "detect", page, "--json"))
    assert (found["source"], found["how"]) == (board.source, "embed")
    (added,) = rows(vakanz(online, "board", "add", page, "--json"))
    assert (added["source"], added["tenant"], added["added"]) == (board.source, found["tenant"], True)
    offline = vakanz(environment, "board", "add", page)
    assert offline.returncode == 1
    assert "VAKANZ_CONTACT" in offline.stderr
    assert len(offline.stderr.strip().splitlines()) == 1


def test_the_index_in_four_steps(environment: dict[str, str], market: str, tmp_path: Path) -> None:
    names = {"greenhouse", "personio", "lever", "workable", "recruitee", "ashby", "teamtailor", "join"}
    boards = [one for one in Market(5, 20, 40).board_list() if one["source"] in names]
    assert boards
    part = str(write_part(tmp_path / "part.parquet", [(one["url"], None) for one in boards]))
    (scanned,) = rows(vakanz(environment, "companies", "commoncrawl", "scan", part, "--json"))
    assert (scanned["rows"], scanned["new"]) == (len(boards), len(boards))
    assert "1 were known" in vakanz(environment, "companies", "commoncrawl", "scan", part).stdout
    online = environment | {"VAKANZ_SIMULATOR": market}
    (counts,) = rows(vakanz(online, "companies", "commoncrawl", "check", "--json"))
    live = sum(1 for one in boards if one["open"])
    assert counts.get("live", 0) == live
    table = tmp_path / "found.csv"
    done = vakanz(environment, "companies", "commoncrawl", "export", "--csv", str(table), "--state", "live")
    assert done.returncode == 0, done.stderr
    with table.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == live
    assert rows(vakanz(environment, "companies", "commoncrawl", "register", "--json")) == [{"registered": live}]
    states = rows(vakanz(environment, "companies", "commoncrawl", "status", "--json"))
    assert sum(int(str(one["candidates"])) for one in states if one["state"] == "registered") == live


def test_a_broken_part_does_not_keep_those_after_it_from_being_read(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "a.parquet").write_bytes(b"PAR1" + bytes(300))
    write_part(tmp_path / "index" / "b.parquet", [("https://jobs.lever.co/acme", None)])
    done = vakanz(environment, "companies", "commoncrawl", "scan", str(tmp_path / "index"), "--json")
    assert done.returncode == 1
    assert "a.parquet" in done.stderr
    assert [orjson.loads(line)["new"] for line in done.stdout.splitlines()] == [1]


def test_an_option_that_cannot_be_meant_is_told(environment: dict[str, str], tmp_path: Path) -> None:
    index = ("companies", "commoncrawl")
    wide = environment | {"COLUMNS": "200", "VAKANZ_CONTACT": "tests@vakanz.example"}
    for arguments, code, said in (
        (("export", "--csv", str(tmp_path / "none" / "found.csv")), 2, "No such file or directory"),
        (("export", "--state", "dead"), 2, "registered"),
        (("check", "--source", "nobody"), 1, "no source is called 'nobody'"),
        (("scan", str(tmp_path)), 1, "holds no part of the index"),
    ):
        done = vakanz(wide, *index, *arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    nothing = vakanz(wide, *index, "check")
    assert (nothing.returncode, nothing.stdout) == (0, "no candidate is new or due\n")


def test_a_region_is_searched_by_hand(environment: dict[str, str], market: str) -> None:
    online = environment | {"VAKANZ_SIMULATOR": market, "VAKANZ_OVERPASS": URL}
    (done,) = rows(vakanz(online, "companies", "geo", "run", "2", "--places", "2", "--json"))
    assert done["places"] == 2
    regions = rows(vakanz(environment, "companies", "geo", "regions", "--json"))
    assert len(regions) == 25
    assert (regions[2]["name"], regions[2]["searched"], regions[2]["sites"]) == ("Berlin", 2, done["sites"])


def test_guesses_are_shown_and_nothing_is_asked(environment: dict[str, str]) -> None:
    found = rows(vakanz(environment, "companies", "guess", "Acme Labs GmbH", "--json"))
    assert {"source": "personio", "tenant": "acmelabs"} in found


@pytest.mark.parametrize(
    "arguments",
    [
        ("companies", "commoncrawl", "scan", "/nowhere/part.parquet"),
        ("companies", "commoncrawl", "scan", "latest", "--source", "monster"),
        ("companies", "commoncrawl", "scan", "https://data.commoncrawl.org/x.parquet"),
        ("companies", "commoncrawl", "check"),
        ("companies", "geo", "run", "3"),
        ("board", "detect", "https://www.acme.example/"),
    ],
)
def test_errors_are_one_line(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = vakanz(environment, *arguments)
    assert done.returncode == 1, done.stderr
    told = [line for line in done.stderr.strip().splitlines() if not line.startswith("note: ")]
    assert len(told) == 1, done.stderr
    assert "Traceback" not in done.stderr
