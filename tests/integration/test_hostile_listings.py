"""A provider whose listings and details were made to do harm: what may be shown is kept, all else costs nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from lib.store.connections import Cache, Database
from tests.integration.discovering import room

LONG = 20_000


def row(number: int, **said: Any) -> dict[str, Any]:
    """A row of Indeed's list."""
    key = f"{number:016x}"
    return {
        "title": f"Buchhalter {number}", "company": f"Firma {number}", "location": "Berlin", "jobKey": key,
        "url": f"https://de.indeed.com/viewjob?jk={key}", "isoDate": "2026-11-01T00:00:00Z", "details": ["Vollzeit"],
    } | said  # fmt: skip


ROWS: list[Any] = [
    row(1, title="Buchhalter <script>alert(1)</script><b>fett</b>"),
    row(2, salary={"min": 1e308, "max": -1e308, "type": "YEARLY"}),
    row(3, salary={"min": 60_000_000, "max": 90_000_000, "type": "HOURLY"}),
    row(4, title="Buchhalter " + "x" * LONG, company="y" * LONG, location="z" * LONG),
    row(5, isoDate="9999-12-31T23:59:59Z"),
    row(6, isoDate="-4712-01-01", salary="NaN € pro ∞"),
    row(7, title="Buch\x00halter", company="Fir\x00ma", location="Ber\x00lin"),
    row(8, url="javascript:alert(1)", jobKey=None),
    row(9, url="http://169.254.169.254/latest/meta-data", jobKey=None),
    row(10, title="Buchhalter zehn"),
    row(10, title="Buchhalter zehn noch einmal"),
    row(11, details=[None, {"x": []}, "Remote"] + ["Vollzeit"] * 5_000),
    row(12, location=["Berlin"], company={"name": "x"}),
    row(13, title="\u202eretlahhcuB Buchhalter\u202d"),
    None,
    [],
    "Buchhalter",
    {},
    row(14),
]


RAW = (
    b'{"title": "Buchhalter \\ud800 \\u0000", "company": "Firma 15", "jobKey": "000000000000000f", "jobKey": "f"}',
    b'{"title": "Buchhalter", "salary": {"min": 1e999, "max": 1e9, "type": "YEARLY"}, "jobKey": "0000000000000010"}',
    b'{"title": "Buchhalter", "jobKey": "0000000000000011", "deep": ' + b"[" * 500 + b"]" * 500 + b"}",
)
TEXT = "<p>" + "Sie buchen. " * 20 + "</p>"
DETAILS: dict[int, dict[str, Any]] = {
    1: {"descriptionHtml": f"<img src=x onerror=alert(1)><iframe src=//evil.example></iframe>{TEXT}"},
    2: {"descriptionHtml": TEXT, "salary": {"min": 1e300, "max": 1e308, "type": "YEARLY"}},
    3: {"descriptionHtml": "<div>" * 50_000 + TEXT},
    4: {"descriptionHtml": TEXT * 20_000},
    5: {"descriptionHtml": TEXT, "title": "\x00"},
    6: {"descriptionHtml": ["<p>"], "description": {"a": 1}},
}


def hostile(path: str, given: Mapping[str, str]) -> dict[str, Any]:
    if path.endswith("/listing"):
        jobs = b",".join((*map(orjson.dumps, ROWS), *RAW))
        return {"jobs": orjson.Fragment(b"[" + jobs + b"]"), "pagination": {"nextPage": "?start=0&start=-1"}}
    if path == "/scrape/web":
        return {"statusCode": "200", "content": "<title>" * 10_000}
    number = int(given["url"].rpartition("=")[2], 16) if "jk=" in given["url"] else 0
    return DETAILS.get(number, {"descriptionHtml": None, "title": 7, "salary": "x"})


async def test_what_does_harm_costs_itself_only(
    database: Database, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(database, cache, tmp_path) as live:
        monkeypatch.setattr(live.provider, "_answer", hostile)
        async with live.daemon():
            search_id = await live.search(await live.account())
            search = await live.ended(search_id)
        last = orjson.loads([event for event in await live.told(search_id) if event.kind == "matches"][-1].body)
        assert (search.live, search.live_why) == ("done", None)
        assert search.credits_used == live.provider.charged == await live.settled()
    shown = {match["url"]: match for match in last["matches"]}
    # Kept: all but two without an address, four that are no rows of jobs, and one of the two with the same key.
    assert await database.fetchval("SELECT count(*) FROM posting") == len(ROWS) + len(RAW) - 7
    assert len(shown) == len(ROWS) + len(RAW) - 8  # and of a title of thousands of letters nobody hears
    assert all(url.startswith("http") for url in shown)
    for match in shown.values():
        assert "\x00" not in match["title"] and len(match["title"]) <= 2_000
        assert match["salary_max_eur"] is None
        assert match["posted_at"] < "2100"
    assert len(await database.fetch("SELECT FROM detail_claim WHERE outcome = 'described'")) == 4
    texts = await database.fetch("SELECT description_html AS html FROM posting_text WHERE description_html <> ''")
    assert len(texts) == 4
    assert not [text for text in texts if any(harm in text["html"] for harm in ("onerror", "iframe", "script"))]
    assert await database.fetchval("SELECT count(*) FROM dead_letter") == 0
