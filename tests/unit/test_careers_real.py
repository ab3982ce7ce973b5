"""Real career pages and PDF ads against a table that was reviewed by eye: what is right, wrong and missing."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from daemons.careers.documents import read_ad
from daemons.careers.places import first_town
from daemons.careers.reading import Fetched, read_page
from lib.text.documents import read_document

REAL = Path(os.environ.get("VAKANZ_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
TABLE = json.loads((Path(__file__).parents[1] / "real" / "careers.json").read_text(encoding="utf-8"))
pytestmark = pytest.mark.skipif(not (REAL / "pages").is_dir(), reason="no real pages beside the repository")


@pytest.mark.parametrize("path", TABLE["pages"])
def test_a_page_is_taken_for_what_it_is(path: str) -> None:
    wanted = TABLE["pages"][path]
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


def test_title_company_and_place_of_pdf_ads() -> None:
    counts = {field: Counter[str]() for field in ("title", "company", "place")}
    for name, wanted in TABLE["documents"].items():
        found = _facts(REAL / "pages" / "german_pdf" / "shared" / name)
        for field, count in counts.items():
            count[_judged(found.get(field), wanted[field])] += 1
    # Nothing is better than something wrong: half of these files name their employer in a picture only.
    assert (counts["title"]["wrong"], counts["company"]["wrong"], counts["place"]["wrong"]) == (1, 0, 0)
    assert counts["title"]["right"] >= 21
    assert counts["company"]["right"] >= 8
    assert counts["place"]["right"] >= 16


def _facts(file: Path) -> dict[str, str]:
    posting, hints, _ = read_ad(read_document(file.read_bytes()), "https://www.acme.example/stellen/stelle.pdf")
    if posting is None:
        return {}
    place = ", ".join(posting.places) or first_town(hints)
    said: dict[str, Any] = {"title": posting.title, "company": posting.company, "place": place}
    return {name: value for name, value in said.items() if value}


def _judged(found: str | None, accepted: list[str]) -> str:
    """A fact that the document does not have is right when nothing is found."""
    if found is None:
        return "missing" if accepted else "right"
    return "right" if found in accepted else "wrong"
