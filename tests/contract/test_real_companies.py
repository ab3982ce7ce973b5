"""Detection and guesses against lists of real companies: recall and precision per system, with reviewed floors.

The lists (VAKANZ_REAL_DATA/companies, or ../shared/data/companies) name systems, tenants and addresses; they are not
part of the project. Their own mistakes count against us, so few floors are 1.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from daemons.companies.captures import Tally, newest_crawl, read_lines
from daemons.companies.detection import best, in_address, in_page
from daemons.companies.domains import domain_table
from daemons.companies.guesses import slugs
from daemons.sources import SOURCES
from lib.errors import Gone, Refused, Transient
from lib.net.messages import Request, Response
from lib.net.status import error_of
from tests.integration.index_parts import COLUMNS

ROOT = Path(os.environ.get("VAKANZ_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data") / "companies"
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason=f"no lists of companies in {ROOT}")

NOW = datetime(2026, 11, 21, tzinfo=UTC)
_NAMES = {"join_com": "join", "oracle": "oracle_orc", "breezyhr": "breezy", "ashbyhq": "ashby"}


class Listed(NamedTuple):
    """A company of a list: its system and tenant as the list writes them, and an address of its board."""

    system: str
    slug: str
    url: str
    name: str = ""


@cache
def tables() -> tuple[Listed, ...]:
    """The tables of name, slug and address per system."""
    found = []
    for path in sorted((ROOT / "ats_scrapers_mit").glob("*.csv*")):
        system = path.name.partition(".")[0]
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found += [Listed(_NAMES.get(system, system), row.get("slug", ""), row["url"], row["name"]) for row in rows]
    return tuple(found)


def pages() -> Iterator[Listed]:
    """Companies whose list gives an address that may be the system's or the company's own."""
    for row in json.loads((ROOT / "joblisttoday" / "companies.json").read_bytes()):
        system, slug, url = (row.get(f"job_board_{name}") for name in ("provider", "hostname", "url"))
        if system and url:
            yield Listed(_NAMES.get(system, system), slug or "", url)
    with (ROOT / "dach_softgarden_clinics" / "softgarden_sites.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield Listed("softgarden", "", row["career_url"])


def tokens() -> Iterator[tuple[str, str]]:
    """(system, tenant) pairs of the lists without addresses."""
    for line in (ROOT / "stellenpilot_germany" / "watchlist_germany.txt").read_text(encoding="utf-8").splitlines():
        match = re.match(r"([a-z]+):(\S+)", line)
        if match:
            yield match[1], match[2]
    for path in (ROOT / "feashliaa").glob("*_companies.json"):
        for token in json.loads(path.read_bytes()):
            tenant, *rest = token.split("|")
            yield path.name.removesuffix("_companies.json"), f"{tenant}.{rest[0]}/{rest[1]}" if rest else tenant


def same_tenant(row: Listed, tenant: str) -> bool:
    """Whether a tenant of ours is the list's: ours may say more (data centre, site, region), or be decoded."""
    ours = {part for part in re.split(r"[^\w%-]+", tenant.casefold()) if part} | {tenant.casefold()}
    slug = row.slug.casefold()
    return slug in ours or slug.partition("/")[0] in ours or tenant.casefold() in row.url.casefold()


@cache
def measured() -> tuple[dict[str, float], dict[str, float], Counter[str]]:
    """Recall and precision by system over the tables, and how many rows each system has."""
    rows, right, claimed = Counter[str](), Counter[str](), Counter[str]()
    for row in tables():
        rows[row.system] += 1
        found = in_address(row.url)
        if found is not None:
            claimed[found.source] += 1
            right[row.system] += found.source == row.system and same_tenant(row, found.tenant)
    recall = {system: right[system] / rows[system] for system in rows if system in SOURCES}
    precision = {system: right[system] / claimed[system] for system in claimed if rows[system]}
    return recall, precision, rows


# system: (recall, precision). Boards on companies' own hosts are told by their pages only (successfactors, eightfold,
# recruitee); the tables hold them as well.
FLOORS = {
    "ashby": (1.0, 1.0),
    "bamboohr": (1.0, 1.0),
    "breezy": (1.0, 1.0),
    "eightfold": (0.92, 1.0),
    "greenhouse": (1.0, 1.0),
    "icims": (1.0, 1.0),
    "join": (1.0, 1.0),
    "lever": (1.0, 1.0),
    "oracle_orc": (1.0, 1.0),
    "personio": (1.0, 1.0),
    "pinpoint": (1.0, 1.0),
    "recruitee": (0.98, 1.0),
    "rippling": (1.0, 1.0),
    "smartrecruiters": (1.0, 1.0),
    "successfactors": (0.01, 0.99),
    "teamtailor": (1.0, 1.0),
    "workable": (1.0, 1.0),
    "workday": (0.999, 1.0),
}
TOKENS = {
    "ashby": 1.0, "bamboohr": 0.998, "greenhouse": 1.0, "lever": 1.0, "personio": 1.0, "smartrecruiters": 1.0,
    "workday": 1.0,
}  # fmt: skip
# Boards known by their own address among companies' careers pages, system: (at least, of).
PAGES = {
    "greenhouse": (70, 305), "lever": (40, 134), "workable": (52, 65), "personio": (26, 52), "recruitee": (23, 31),
    "smartrecruiters": (8, 33), "ashby": (4, 24),
}  # fmt: skip
# Share of tenants among the first three slugs that are guessed from the name. The tables' names are partly made of
# slugs (all of bamboohr's are), so these figures flatter; join's are real names.
GUESSED = {
    "ashby": 0.90, "breezy": 0.75, "greenhouse": 0.75, "join": 0.36, "lever": 0.72, "personio": 0.91, "pinpoint": 0.67,
    "recruitee": 0.72, "rippling": 0.63, "smartrecruiters": 0.85, "teamtailor": 0.74, "workable": 0.69,
}  # fmt: skip


@pytest.mark.parametrize("system", FLOORS)
def test_recall_and_precision_over_the_tables(system: str) -> None:
    recall, precision, rows = measured()
    least_recall, least_precision = FLOORS[system]
    assert rows[system] >= 50
    assert recall[system] >= least_recall
    assert precision[system] >= least_precision


def test_every_system_of_the_tables_that_we_read_has_its_floors() -> None:
    assert measured()[0].keys() == FLOORS.keys()


def test_boards_of_systems_that_we_do_not_read_belong_to_nobody() -> None:
    others = [row for row in tables() if row.system not in SOURCES]
    assert len(others) > 1_000
    assert [(row.url, found) for row in others if (found := in_address(row.url))] == []


def test_tenants_of_lists_make_addresses_that_give_them_back() -> None:
    tried, right = Counter[str](), Counter[str]()
    for system, tenant in set(tokens()):
        tried[system] += 1
        try:
            found = in_address(SOURCES[system].board_url(tenant))
        except Refused:
            continue
        right[system] += found is not None and (found.source, found.tenant.casefold()) == (system, tenant.casefold())
    assert tried.keys() == TOKENS.keys()
    assert {
        system: right[system] / tried[system] for system in TOKENS if right[system] / tried[system] < TOKENS[system]
    } == {}


def test_careers_pages_are_told_by_their_address_or_not_at_all() -> None:
    right, wrong, rows = Counter[str](), Counter[str](), Counter[str]()
    for row in pages():
        rows[row.system] += 1
        found = in_address(row.url)
        right[row.system] += found is not None and found.source == row.system
        wrong[row.system] += found is not None and found.source != row.system
    for system, (least, most) in PAGES.items():
        assert right[system] >= least, system
        assert rows[system] <= most, system
    assert wrong.total() <= 1, "a list calls a board Ashby's whose address is Greenhouse's"


@pytest.mark.parametrize("system", GUESSED)
def test_slugs_guessed_from_names(system: str) -> None:
    rows = [row for row in tables() if row.system == system][:3_000]
    hits = sum(row.slug.casefold() in slugs(row.name, 3) for row in rows)
    assert hits / len(rows) >= GUESSED[system]


# Saved careers pages, written by hand after real ones: which board is behind each.
SAVED = {
    "breezy_embedded": ("breezy", "acme"),
    "eightfold_embedded": ("eightfold", "acme"),
    "greenhouse_embedded": ("greenhouse", "techcorp"),
    "icims_embedded": ("icims", "careers-megacorp"),
    "lever_embedded": ("lever", "startupxyz"),
    "pinpoint_embedded": ("pinpoint", "acme"),
    "recruitee_embedded": ("recruitee", "acme"),
    "teamtailor_embedded": ("teamtailor", "acme"),
    "workday_embedded": ("workday", "bigcorp.wd5/external"),
    "boutique_agency": None,
    "local_restaurant_group": None,
    "phenom_embedded": None,
    "unknown_custom": None,
}


@pytest.mark.parametrize("name", SAVED)
def test_saved_careers_pages(name: str) -> None:
    path = ROOT.parent / "pages" / "strata_harvest" / "career_pages" / f"{name}.html"
    if not path.is_file():
        pytest.skip(f"no {path}")
    found = best(in_page(path.read_bytes(), "https://www.acme.example/careers"))
    assert (found and (found.source, found.tenant)) == SAVED[name]


def test_pages_of_a_company_without_a_system_name_none() -> None:
    path = ROOT.parent / "pages" / "basf_html" / "events_debug.html.gz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    assert in_page(gzip.decompress(path.read_bytes()), "https://www.basf.com/global/de/careers/events") == []


def test_addresses_of_a_job_portal_belong_to_no_system() -> None:
    path = ROOT.parent / "pages" / "sitemaps" / "stellenmarkt_com_sitemap.txt"
    if not path.is_file():
        pytest.skip(f"no {path}")
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    assert len(lines) > 50
    assert [line for line in lines if in_address(line) is not None] == []


def crawl_file(*parts: str) -> Path:
    path = ROOT.parent.joinpath("commoncrawl", *parts)
    if not path.is_file():
        pytest.skip(f"no {path}")
    return path


def test_real_lines_of_the_index_name_their_tenants() -> None:
    found = Tally(domain_table())
    read_lines(crawl_file("job-hq_commoncrawl_cdx_greenhouse.jsonl").read_bytes().splitlines(), found)
    assert (found.rows, found.matched, found.broken) == (7, 7, 0)
    named = {tenant: times for _, tenant, _, times in found.rows_for_store()}
    assert named == {"10alabs": 1, "10beauty": 1, "10xgenomics": 2}, "a name with a stray blank is none"


def test_recorded_answers_of_the_index_api_are_read() -> None:
    """The list of crawls; 404 for a search without captures and 400 past the last page are the client's errors."""
    with crawl_file("cdx_toolkit", "test_get_cc_endpoints.jsonl").open(encoding="utf-8") as file:
        listed = next(one for one in map(json.loads, file) if one["url"].endswith("/collinfo.json"))
    request = Request(url=listed["url"])
    body = listed["response_text"].encode()
    answer = Response(request=request, url=request.url, status=200, headers={}, body=body)
    assert newest_crawl(answer) == "CC-MAIN-2025-33"
    with crawl_file("cdx_toolkit", "test_multi_cc2.jsonl").open(encoding="utf-8") as file:
        answers = [json.loads(line) for line in file]
    kinds = {type(error_of(one["response_status_code"], {}, NOW, conditional=False)) for one in answers}
    assert kinds <= {Gone, Transient, type(None)}
    assert Gone in kinds
    for one in answers:
        if one["response_status_code"] == 200:
            found = Tally(domain_table())
            read_lines(one["response_text"].encode().splitlines(), found)
            assert found.rows
            assert found.broken == 0


def test_the_made_parts_have_the_published_columns() -> None:
    schema = json.loads(crawl_file("cc_index_table", "cc-index-schema-flat.json").read_bytes())
    kinds = {"string": "VARCHAR", "integer": "INTEGER", "short": "SMALLINT", "timestamp": "TIMESTAMP"}
    assert {one["name"]: kinds[one["type"]] for one in schema["fields"]} == COLUMNS
