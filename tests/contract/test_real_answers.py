"""Answers of real boards, kept outside the repository, against tables that were made by reading them.

`tests/real/<source>.json` says of each file what it holds: how many postings with which ids, and of the first, the last
and the odd ones their titles, places, dates, pay and length of text. The folder of the answers is VAKANZ_REAL_DATA, or
shared/data beside the repository.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from daemons.sources import SOURCES
from lib.errors import Gone, Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Page, Posting, Source, merge_rows
from tests.sim.systems import SYSTEMS

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(os.environ.get("VAKANZ_REAL_DATA") or ROOT.parent / "shared" / "data") / "ats"
pytestmark = pytest.mark.skipif(not ANSWERS.is_dir(), reason=f"no real answers: {ANSWERS} is absent")

_MUTATIONS = 40


class Case(NamedTuple):
    """A file and what it holds."""

    source: Source
    file: str
    holds: dict[str, Any]

    @property
    def request(self) -> Request:
        """What the file answers."""
        if "detail_of" in self.holds:
            assert isinstance(self.source, DetailSource)
            return self.source.detail_request(self.holds["tenant"], self.holds["detail_of"], self.holds.get("url", ""))
        return self.source.request(self.holds["tenant"], self.holds.get("cursor"))

    def body(self) -> bytes:
        """The answer; where a file wraps list and details together, its list."""
        body = (ANSWERS / self.file).read_bytes()
        body = gzip.decompress(body) if self.file.endswith(".gz") else body
        return body if "detail_of" in self.holds else SYSTEMS[self.source.name].unpack(body)[0]

    def read(self, body: bytes) -> Page | Posting:
        """The page or the posting in an answer. Raises Malformed, Gone."""
        request = self.request
        response = Response(request=request, url=request.url, status=200, headers={}, body=body)
        if isinstance(self.source, DetailSource) and "detail_of" in self.holds:
            return self.source.parse_detail(self.holds["tenant"], response)
        return self.source.parse(self.holds["tenant"], response)


def cases() -> Iterator[Case]:
    for table in sorted((ROOT / "tests" / "real").glob("*.json")):
        if table.stem in SOURCES:
            for file, holds in json.loads(table.read_text()).items():
                yield Case(SOURCES[table.stem], file, holds)


every_case = pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.source.name}:{case.file}")


def facts(row: Posting) -> dict[str, Any]:
    """What the tables say of a row."""
    return {
        "external_id": row.external_id,
        "title": row.title,
        "places": list(row.places),
        "posted_at": None if row.posted_at is None else row.posted_at.isoformat(),
        "salary": None if row.salary is None else msgspec.to_builtins(row.salary),
        "text_chars": len(row.html or ""),
    }


@every_case
def test_an_answer_holds_what_its_reader_saw(case: Case) -> None:
    holds = case.holds
    if "error" in holds:
        with pytest.raises((Malformed, Gone)) as error:
            case.read(case.body())
        assert type(error.value).__name__ == holds["error"]
        return
    found = case.read(case.body())
    rows = merge_rows(found.rows) if isinstance(found, Page) else [found]
    ids = [row.external_id for row in rows]
    assert len(ids) == holds["count"]
    assert hashlib.sha256("\n".join(ids).encode()).hexdigest() == holds["ids_sha256"]
    by_id = {row.external_id: facts(row) for row in rows}
    for expected in holds["rows"]:
        assert by_id[expected["external_id"]] == expected
    if isinstance(found, Page):
        assert len(found.rejected) == holds.get("rejected", 0), found.rejected
        assert found.total == holds.get("total")
        assert found.cursor == holds.get("next")


def test_every_answer_of_a_known_system_has_its_place_in_a_table() -> None:
    known = {case.file for case in cases()}
    named = {
        str(path.relative_to(ANSWERS))
        for path in ANSWERS.rglob("*")
        for name in {path.name.split(".")[0], path.parent.name} & SOURCES.keys()
        if path.is_file() and path.suffix not in (".md", "") and "headers" not in path.name
    }
    assert sorted(named - known) == []


@every_case
def test_a_mutated_answer_is_read_or_refused(case: Case) -> None:
    body = case.body()[:200_000]
    rng = random.Random(case.file)
    for _ in range(_MUTATIONS):
        mutated = bytearray(body)
        for _ in range(rng.randint(1, 20)):
            place = rng.randrange(len(mutated) + 1)
            cut = slice(place, place + rng.choice((0, 1, 1, 4, 100)))
            mutated[cut] = rng.choice(
                (b"", b"\x00", b"\xff", b'"', b"null", b"{", b"<", b"]", b"1e999", rng.randbytes(3))
            )
        try:
            found = case.read(bytes(mutated))
        except (Malformed, Gone):
            continue
        for row in found.rows if isinstance(found, Page) else (found,):
            assert row.external_id
            assert row.title
            msgspec.json.encode(row)
