"""Answers of real boards, kept outside the repository, against a table that was made by reading them.

The folder is VAKANZ_REAL_DATA, or shared/data beside the repository.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daemons.sources import SOURCES, detect, source
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page, Posting, Salary, merge_rows

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("VAKANZ_REAL_DATA") or ROOT.parent / "shared" / "data")
ATS = DATA / "ats"
pytestmark = pytest.mark.skipif(not ATS.is_dir(), reason=f"no real payloads: {ATS} is absent")

Rows = list[tuple[str, str, tuple[str, ...]]]
# Source, file -> id, title and places of every row, in the payload's order.
LISTS: dict[tuple[str, str], Rows] = {
    ("greenhouse", "careerkit/greenhouse.json"): [
        ("8636903002", "Customer Data Scientist - Experimentation", ("London, UK",)),
        ("8651132002", "Emerging Account Executive (India)", ("Bangalore, India",)),
    ],
    ("greenhouse", "JobsPedia/greenhouse.json"): [
        ("111", "Software Engineer, Backend", ("San Francisco, CA",)),
        ("222", "Product Designer", ("Remote",)),
    ],
    ("greenhouse", "work-scrapper/greenhouse.json"): [
        ("4834489101", "Administrator Systemów Wewnętrznych", ("ul. Zbożowa 4, 70-653 Stettin",)),
        (
            "4897932101",
            "Młodszy Specjalista ds. Obsługi Klienta i Wsparcia Technicznego (m/k)",
            ("ul. Zbożowa 4, 70-653 Stettin",),
        ),
    ],
    ("greenhouse", "boardwatch_fixtures/greenhouse/normal.json"): [
        ("6000001", "Senior Software Engineer, Platform", ("Remote - United States",)),
        ("6000002", "Android Engineer", ("New York, NY",)),
        ("6000003", "Product Designer", ("Remote - US",)),
        ("6000004", "Staff Data Scientist", ("Austin, TX",)),
        ("6000005", "Engineering Manager, Payments", ("San Francisco, CA",)),
    ],
    ("greenhouse", "boardwatch_fixtures/greenhouse/empty.json"): [],
    ("lever", "careerkit/lever.json"): [
        (
            "a24ec4e5-5caa-473d-abd4-b71f09a8167b",
            "(1099 Contract) Nonprofit Salesforce Consultant: Enterprise Project Manager",
            ("Chicago, IL",),
        ),
        (
            "5d54d69b-e940-452e-b892-1170aa60f095",
            "(1099 Contract) Salesforce for Nonprofits: Solution Architect",
            ("Washington, D.C.",),
        ),
    ],
    ("lever", "JobsPedia/lever.json"): [
        ("abc-123", "Senior Backend Engineer", ("Remote - US",)),
        ("def-456", "Sales Development Rep", ("New York, NY",)),
    ],
    ("lever", "work-scrapper/lever.json"): [
        ("5b5a445a-6150-481b-b4ad-5932d793c2b3", "Data Protection Officer", ("Portugal, Lisbon",)),
        ("8adfa26a-70cd-412b-8d7b-ccab306b1ec0", "Data Protection Officer", ("UK, London",)),
        ("27906eb6-51df-4dbc-a860-72e911bdd2c8", "Principal AI/ML Scientist & Engineer", ("Portugal, Lisbon",)),
    ],
    ("lever", "boardwatch_fixtures/lever/normal.json"): [
        ("a1000000-0000-4000-8000-000000000001", "Senior Software Engineer, Platform", ("San Francisco, CA",)),
        ("a1000000-0000-4000-8000-000000000002", "Product Designer", ("Paris", "London")),
        ("a1000000-0000-4000-8000-000000000003", "Staff Backend Engineer", ("Remote - United States",)),
        ("a1000000-0000-4000-8000-000000000004", "Account Executive, Mid-Market", ("New York, NY",)),
        ("a1000000-0000-4000-8000-000000000005", "Data Scientist", ("Berlin", "Amsterdam", "Remote - EU")),
        ("a1000000-0000-4000-8000-000000000006", "Engineering Manager", ("London",)),
    ],
    ("lever", "boardwatch_fixtures/lever/empty.json"): [],
    ("ashby", "careerkit/ashby.json"): [
        ("90fb3621-899e-4b59-925d-25080ec91e18", "Senior Technical Recruiter", ("Canada",)),
        ("fc2f1f85-46a0-4a31-b165-683e39c07c04", "Senior Site Reliability Engineer", ("Toronto, Ontario",)),
    ],
    ("ashby", "JobsPedia/ashby.json"): [
        ("job-1", "Staff Software Engineer", ("New York, NY (HQ)",)),
        ("job-2", "Recruiting Coordinator", ("Remote (US)",)),
    ],
    ("ashby", "JobSearchAggregator/ashby.json"): [
        ("09bb501c-e72d-4c9e-8df3-212ac53e69d9", "Senior Front-end Engineer - Open Application", ("LatAm",)),
        ("3af5b1b2-d873-4809-95a7-663784c9315e", "Senior Back-end Engineer – Open Application", ("LatAm",)),
        ("df72bf39-0baf-4a6e-b1a5-c4e4a3599124", "DevOps Engineer - Open Application", ("LatAm",)),
    ],
    ("ashby", "boardwatch_fixtures/ashby/normal.json"): [
        ("ashby-0001", "Senior Software Engineer", ("San Francisco, CA",)),
        ("ashby-0002", "Staff Product Manager", ("New York, NY", "Boston, MA")),
        ("ashby-0003", "Engineering Manager", ("Remote - United States",)),
        ("ashby-0004", "Product Designer", ("London, United Kingdom",)),
        ("ashby-0005", "Data Scientist", ("Berlin, Germany", "Amsterdam, Netherlands")),
        ("ashby-0006", "Account Executive", ("Austin, TX",)),
        ("ashby-0007", "Software Engineer, Platform", ("San Francisco, CA",)),
    ],
    ("ashby", "boardwatch_fixtures/ashby/huge.json.gz"): [
        (f"huge-{number:05}", f"Software Engineer {number}", ("Remote - United States",)) for number in range(1, 111)
    ],
    ("ashby", "boardwatch_fixtures/ashby/empty.json"): [],
    ("personio", "careerkit/personio.xml"): [
        ("1834171", "Staff Software Engineer, Data Platform", ("Munich", "Berlin")),
    ],
    ("personio", "JobsPedia/personio.xml"): [
        ("1001", "Senior Backend Engineer", ("Berlin",)),
        ("1002", "Support Engineer", ("Remote",)),
    ],
    ("smartrecruiters", "careerkit/smartrecruiters.json"): [
        ("743999671674844", "CNA / LPN - Consistent Hours. Start Next Week.", ("St. Louis, MO, United States",)),
    ],
    ("smartrecruiters", "work-scrapper/smartrecruiters.json"): [
        (
            "744000141699866",
            "Test Engineer- Tieto Tech Consulting (m/f/d)",
            ("Szczecin, West Pomeranian Voivodeship, Poland",),
        ),
        (
            "744000140721629",
            "System Analyst/Researcher 4G/5G - Tieto Tech Consulting (m/f/d)",
            ("Szczecin, Poland",),
        ),
        (
            "744000142857646",
            "Business Development Manager - Tieto Tech Consulting (m/f/d)",
            ("Brno, South Moravian Region, Czechia",),
        ),
    ],
    ("smartrecruiters", "boardwatch_fixtures/smartrecruiters/list_normal.json"): [
        ("744000000000001", "Staff Platform Engineer", ("Austin, TX, United States",)),
        ("744000000000002", "Remote Support Engineer", ("Remote - United States",)),
        ("744000000000003", "Warehouse Associate", ("Columbus, OH, us",)),
    ],
    ("smartrecruiters", "boardwatch_fixtures/smartrecruiters/list_empty.json"): [],
}
# One row of a file -> more of what the payload says about it.
DETAILS: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "greenhouse", "careerkit/greenhouse.json", "8636903002",
        {
            "company": "Amplitude", "department": "Solutions Consulting", "employment_type": "Regular",
            "language": "en",
            "posted_at": datetime(2026, 7, 16, 15, 55, 32, tzinfo=UTC), "valid_through": None, "salary": None,
            "url": "https://job-boards.greenhouse.io/amplitude/jobs/8636903002",
        },
    ),
    (
        "greenhouse", "boardwatch_fixtures/greenhouse/normal.json", "6000001",
        {
            "remote": "remote", "department": "Engineering",
            "salary": Salary(min=130_000.0, max=195_000.0, currency="USD"),
        },
    ),
    (
        "lever", "careerkit/lever.json", "a24ec4e5-5caa-473d-abd4-b71f09a8167b",
        {
            "country": "US", "remote": "remote", "employment_type": "Contract", "department": "Services Team",
            "posted_at": datetime(2025, 11, 27, 1, 2, 41, 939000, tzinfo=UTC), "company": None,
            "apply_url": "https://jobs.lever.co/idealistconsulting/a24ec4e5-5caa-473d-abd4-b71f09a8167b/apply",
        },
    ),
    (
        "lever", "JobsPedia/lever.json", "abc-123",
        {
            "salary": Salary(min=150_000.0, max=190_000.0, currency="USD"), "department": "R&D",
            "html": "<p>Join our backend team.</p>",
        },
    ),
    (
        "ashby", "careerkit/ashby.json", "fc2f1f85-46a0-4a31-b165-683e39c07c04",
        {
            "country": "CA", "remote": "hybrid", "employment_type": "FullTime",
            "salary": Salary(min=102_800.0, max=137_000.0, currency="CAD", period="year"),
            "posted_at": datetime(2026, 7, 8, 19, 48, 19, 767000, tzinfo=UTC),
        },
    ),
    (
        "ashby", "boardwatch_fixtures/ashby/normal.json", "ashby-0006",
        {"salary": Salary(min=12_000.0, max=15_000.0, currency="USD", period="month"), "remote": None},
    ),
    (
        "personio", "careerkit/personio.xml", "1834171",
        {
            "company": "Acme SE & Co. KG", "department": "Product and Tech", "employment_type": "permanent, full-time",
            "html": None, "language": None, "posted_at": datetime(2024, 11, 13, 14, 10, 41, tzinfo=UTC),
        },
    ),
    (
        "personio", "JobsPedia/personio.xml", "1002",
        {"remote": "remote", "html": "<h3>The Role</h3><p>Help our customers.</p>"},
    ),
    (
        "smartrecruiters", "careerkit/smartrecruiters.json", "743999671674844",
        {
            "company": "Knight Gayles", "country": "US", "employment_type": "Part-time", "language": "en", "html": None,
            "url": "https://jobs.smartrecruiters.com/Knight/743999671674844",
            "posted_at": datetime(2018, 6, 8, 2, 11, 28, tzinfo=UTC),
        },
    ),
    ("smartrecruiters", "work-scrapper/smartrecruiters.json", "744000140721629", {"remote": "hybrid", "country": "PL"}),
]  # fmt: skip
TOTALS = {
    "careerkit/greenhouse.json": 37,  # the file was trimmed: a list that must not be taken for the whole
    "careerkit/smartrecruiters.json": 1,
    "work-scrapper/smartrecruiters.json": 3,
    "boardwatch_fixtures/smartrecruiters/list_normal.json": 3,
    "boardwatch_fixtures/smartrecruiters/list_empty.json": 0,
    "boardwatch_fixtures/greenhouse/normal.json": 5,
    "boardwatch_fixtures/greenhouse/empty.json": 0,
}
KNOWN = {file for _, file in LISTS}
NO_LISTS = re.compile(r"(?:^|/)(?:vendor_docs|README|LICENSE|dead|detail_|.*_response_headers)")


def answer(file: Path) -> Response:
    raw = file.read_bytes()
    body = gzip.decompress(raw) if file.suffix == ".gz" else raw
    return Response(request=Request(url="saved:"), url="saved:", status=200, headers={}, body=body)


def page_of(name: str, file: str) -> Page:
    if not (ATS / file).exists():
        pytest.skip(f"{file} is not in this copy of the data")
    return source(name).parse("acme", answer(ATS / file))


def unlisted() -> Iterator[tuple[str, str]]:
    """Payloads of our systems that the table does not have."""
    for path in sorted(ATS.rglob("*")) if ATS.is_dir() else ():
        file = path.relative_to(ATS).as_posix()
        name = next((name for name in SOURCES if name in file), None)
        payload = path.is_file() and path.suffix in (".json", ".xml", ".gz") and not NO_LISTS.search(file)
        if name and payload and file not in KNOWN:
            yield name, file


@pytest.mark.parametrize(("name", "file"), LISTS)
def test_every_row_of_a_list(name: str, file: str) -> None:
    page = page_of(name, file)
    assert page.rejected == ()
    assert dict(page.unknown) == {}
    assert [(row.external_id, row.title, row.places) for row in merge_rows(page.rows)] == LISTS[name, file]
    assert page.total == TOTALS.get(file)


@pytest.mark.parametrize(("name", "file", "external_id", "expected"), DETAILS, ids=[detail[1] for detail in DETAILS])
def test_what_a_payload_says_about_one_row(name: str, file: str, external_id: str, expected: dict[str, Any]) -> None:
    (row,) = (row for row in merge_rows(page_of(name, file).rows) if row.external_id == external_id)
    assert {field: getattr(row, field) for field in expected} == expected


@pytest.mark.parametrize(
    ("name", "file", "phrases"),
    [
        ("greenhouse", "careerkit/greenhouse.json", ['<div class="content-intro"><p>Amplitude is the leading AI']),
        (
            "lever",
            "careerkit/lever.json",
            [
                "<b>You just might be an Ide",
                "<h3>Your Background Includes:</h3><ul>",
                "Contractor hourly rates are set",
            ],
        ),
        ("ashby", "careerkit/ashby.json", ["<h2><strong>About HighlightTA</strong></h2>"]),
    ],
)
def test_texts_are_whole_and_unescaped(name: str, file: str, phrases: list[str]) -> None:
    html = page_of(name, file).rows[0].html or ""
    assert [phrase for phrase in phrases if phrase not in html] == []
    assert "&lt;" not in html


def test_repeated_entries_are_one_posting() -> None:
    page = page_of("personio", "careerkit/personio.xml")
    assert (len(page.rows), len(merge_rows(page.rows))) == (2, 1)


def read_detail(file: Path) -> Posting:
    reader = source("smartrecruiters")
    assert isinstance(reader, DetailSource)
    return reader.parse_detail("acme", answer(file))


def test_smartrecruiters_details() -> None:
    folder = ATS / "boardwatch_fixtures" / "smartrecruiters"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not in this copy of the data")
    row = read_detail(folder / "detail_normal.json")
    assert (row.external_id, row.department) == ("744000000000001", "Engineering")
    assert row.apply_url == "https://jobs.smartrecruiters.com/acme/744000000000001/apply"
    assert "<h3>Job Description</h3>Build synthetic platforms." in (row.html or "")
    assert read_detail(folder / "detail_empty_sections.json").html == ""
    with pytest.raises(Gone):
        read_detail(folder / "detail_inactive.json")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("ashby", "boardwatch_fixtures/ashby/dead.json"),
        ("greenhouse", "boardwatch_fixtures/greenhouse/dead_404.json"),
        ("lever", "boardwatch_fixtures/lever/dead_404.json"),
        ("smartrecruiters", "boardwatch_fixtures/lever/empty.json"),
    ],
)
def test_an_answer_that_is_no_list_is_never_an_empty_board(name: str, file: str) -> None:
    with pytest.raises(Malformed):
        page_of(name, file)


def test_a_list_inside_a_wrapper_reads_like_a_list() -> None:
    file = ATS / "JobsPedia" / "smartrecruiters.json"
    if not file.exists():
        pytest.skip(f"{file} is not in this copy of the data")
    with pytest.raises(Malformed):
        source("smartrecruiters").parse("acme", answer(file))
    inner = json.dumps(json.loads(file.read_bytes())["postings"]).encode()
    request = source("smartrecruiters").request("acme", None)
    response = Response(request=request, url=request.url, status=200, headers={}, body=inner)
    page = source("smartrecruiters").parse("acme", response)
    assert [(row.external_id, row.title, row.remote) for row in page.rows] == [
        ("posting-1", "Senior Backend Engineer", "onsite"),
        ("posting-2", "Remote Support Engineer", "remote"),
    ]
    assert (page.total, page.cursor) == (2, None)


def test_payloads_beyond_the_table_lose_no_row() -> None:
    for name, file in unlisted():
        if file == "JobsPedia/smartrecruiters.json":
            continue
        page = page_of(name, file)
        assert page.rows, file
        assert page.rejected == (), file


@pytest.mark.parametrize("name", SOURCES)
def test_addresses_of_known_boards(name: str) -> None:
    listing = DATA / "companies" / "ats_scrapers_mit" / f"{name}.csv"
    if not listing.exists():
        pytest.skip(f"{listing} is not in this copy of the data")
    with listing.open(encoding="utf-8", newline="") as file:
        boards = [(row["slug"], row["url"]) for row in csv.DictReader(file)]
    assert len(boards) > 1_000
    found = [detect(url) for _, url in boards]
    # The list writes some tokens in lower case that their addresses write in capitals.
    assert [(one[0].name, one[1].lower()) for one in found if one] == [(name, slug.lower()) for slug, _ in boards]
    assert [slug for slug, _ in boards if source(name).detect(source(name).board_url(slug)) != slug] == []
