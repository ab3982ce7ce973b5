"""Real career pages against a table that was reviewed by eye, and whether real PDF ads are taken for ads."""

from __future__ import annotations

import gzip
import json
import os
from html import escape
from pathlib import Path

import pytest

from daemons.careers.documents import read_ad
from daemons.careers.reading import Fetched, read_page
from lib.text.documents import read_document
from lib.text.gazetteer import load_gazetteer

REAL = Path(os.environ.get("VAKANZ_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
TABLE = json.loads((Path(__file__).parents[1] / "real" / "careers.json").read_text(encoding="utf-8"))
pytestmark = pytest.mark.skipif(not (REAL / "pages").is_dir(), reason="no real pages beside the repository")


@pytest.mark.parametrize("path", TABLE)
def test_a_page_is_taken_for_what_it_is(path: str) -> None:
    wanted = TABLE[path]
    body = (REAL / path).read_bytes()
    slug = Path(path).name.partition(".")[0].replace("_", "-")
    page = Fetched(
        "www.acme.example/karriere",
        f"https://www.acme.example/karriere/{slug}",
        gzip.decompress(body) if path.endswith(".gz") else body,
    )
    reading = read_page(page)
    found = [{"title": p.title, "company": p.company, "places": list(p.places)} for p in reading.postings]
    assert (reading.verdict, found) == (wanted["verdict"], wanted["postings"])


def test_nearly_all_pdf_ads_are_taken_for_ads() -> None:
    files = sorted((REAL / "pages" / "german_pdf").rglob("*.pdf"))
    gazetteer = load_gazetteer()
    url = "https://www.acme.example/stellen/stelle.pdf"
    found = [read_ad(read_document(file.read_bytes()), url, gazetteer) for file in files]
    assert sum(posting is not None for posting, _ in found) >= 0.9 * len(files)


def test_nearly_all_real_texts_are_taken_for_ads() -> None:
    """Texts of real postings, in English for the most part, on a page without any markup that says what it is."""
    with gzip.open(REAL / "texts" / "cyber_job_radar" / "jobs.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::4]
    found = []
    for row in rows:
        marked = "<p>" in row["description"] or "<li>" in row["description"]
        text = (
            row["description"] if marked else "".join(f"<p>{escape(one)}</p>" for one in row["description"].split("\n"))
        )
        body = f"<html><body><h1>{escape(row['title'])}</h1>{text}<a href='/apply'>Apply now</a></body></html>"
        page = Fetched("www.acme.example/jobs", "https://www.acme.example/jobs/one-of-our-jobs-1", body.encode())
        found.append(read_page(page).verdict)
    assert found.count("ad") >= 0.95 * len(rows)
