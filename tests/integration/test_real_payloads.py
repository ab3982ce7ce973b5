"""More of what answers of real boards say, beyond the tables in tests/real.

The folder is VAKANZ_REAL_DATA, or shared/data beside the repository.
"""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daemons.sources import source
from lib.net.messages import Request, Response
from lib.posting.contract import Page, Salary, merge_rows

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("VAKANZ_REAL_DATA") or ROOT.parent / "shared" / "data")
ATS = DATA / "ats"
pytestmark = pytest.mark.skipif(not ATS.is_dir(), reason=f"no real payloads: {ATS} is absent")

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


def answer(file: Path) -> Response:
    raw = file.read_bytes()
    body = gzip.decompress(raw) if file.suffix == ".gz" else raw
    return Response(request=Request(url="saved:"), url="saved:", status=200, headers={}, body=body)


def page_of(name: str, file: str) -> Page:
    if not (ATS / file).exists():
        pytest.skip(f"{file} is not in this copy of the data")
    return source(name).parse("acme", answer(ATS / file))


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
