"""Parsing: from an answer's bytes to postings, and on to plain text, beside the bare decoders on the same bytes.

The bound decodes each answer (orjson, or lxml where it is XML or HTML) and turns the same descriptions into text: what
the pipeline cannot do without. It leaves out all that makes rows of them: types, cleaning, dates, money, links, and the
counting of unknown fields.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import orjson
from lxml import etree, html
from yarl import URL

from daemons.sources import detect
from lib.errors import SourceError
from lib.net.messages import Request, Response
from lib.posting.contract import DetailSource, Posting, Source
from lib.text.html import html_to_text
from tests.bench.lab import REPOSITORY, Lab
from tests.bench.rows import Row, Target, in_turns, stopwatch
from tests.sim import Market, Replay
from tests.sim.server import World
from tests.sim.systems import SYSTEMS
from tests.sim.wire import Asked

REAL = Path(os.environ.get("VAKANZ_REAL_DATA") or REPOSITORY.parent / "shared" / "data") / "ats"
_POSTINGS_PER_SYSTEM = 150
_MOST_PAGES = 200
_DETAILS = 50
_LEAST_ROWS = 500  # of each source per round: answers are read again until so many were


@dataclass
class _Answers:
    """Answers of one source, how each is read, and the descriptions in them."""

    source: Source
    readings: list[tuple[Callable[[Response], Sequence[Posting]], Response]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: int = 0
    unread: int = 0

    @property
    def is_json(self) -> bool:
        """Whether all of them are JSON."""
        return all(response.body.lstrip()[:1] in (b"{", b"[") for _, response in self.readings)

    @property
    def repeats(self) -> int:
        """How often they are read per round."""
        return max(1, _LEAST_ROWS // self.rows)

    def add(self, read: Callable[[Response], Sequence[Posting]], response: Response, *, counted: bool = True) -> None:
        """One more answer, unless it is none of the kind. A detail of a listed posting is not counted again."""
        try:
            rows = read(response)
        except SourceError:
            self.unread += 1
            return
        self.readings.append((read, response))
        self.texts += [row.html for row in rows if row.html]
        self.rows += len(rows) if counted else 0


async def measure(lab: Lab) -> list[Row]:
    """Rows for parsing alone and for parsing with texts: on simulated answers, and on real ones where they are."""
    market = Market(postings=lab.count(_POSTINGS_PER_SYSTEM * len(SYSTEMS)), companies=len(SYSTEMS))
    rows = await _rows(lab, market, "simulated answers")
    return rows + (await _rows(lab, Replay(REAL), "real answers") if REAL.is_dir() else [])


async def _rows(lab: Lab, world: World, of: str) -> list[Row]:
    collected = [answers for answers in _collected(world) if answers.rows]
    rates = {one.source.name: await _rate(lab, one) for one in collected}
    json_rates = {one.source.name: rates[one.source.name] for one in collected if one.is_json}
    n = f"{sum(one.rows for one in collected):,} postings of {len(collected)} systems, {of}"
    if unread := sum(one.unread for one in collected):
        n += f"; {unread} answers were none of the kind"
    slowest = min(json_rates, key=json_rates.__getitem__)
    rows = [
        Row(
            name=f"parsing, slowest JSON source ({slowest})", figure=json_rates[slowest], unit="postings/s per core",
            target=Target(">=", 3_000, "figure"), n=n, beside=dict(sorted(rates.items())),
        )
    ]  # fmt: skip
    for kind, target in (("JSON", Target(">=", 0.6)), ("XML and HTML", None)):
        some = [one for one in collected if one.is_json == (kind == "JSON")]
        if some:
            figures, bounds = await in_turns(lab.rounds, partial(_pipeline, some), partial(_bare, some))
            rows.append(
                Row.of_rounds(
                    figures, bounds, name=f"parsing and plain texts, {kind} sources", unit="postings/s per core",
                    target=target, bound="bare decoder and plain texts", n=f"{len(some)} systems of these",
                )
            )  # fmt: skip
    return rows


async def _rate(lab: Lab, answers: _Answers) -> float:
    """Postings per second through the source's own reading, the best of some rounds."""

    async def once() -> float:
        with stopwatch() as watch:
            for _ in range(answers.repeats):
                for read, response in answers.readings:
                    read(response)
        return answers.rows * answers.repeats / watch.seconds

    (figures,) = await in_turns(lab.rounds, once)
    return max(figures)


async def _pipeline(collected: Sequence[_Answers]) -> float:
    with stopwatch() as watch:
        for answers in collected:
            for _ in range(answers.repeats):
                for read, response in answers.readings:
                    for row in read(response):
                        if row.html:
                            html_to_text(row.html)
    return sum(one.rows * one.repeats for one in collected) / watch.seconds


async def _bare(collected: Sequence[_Answers]) -> float:
    with stopwatch() as watch:
        for answers in collected:
            for _ in range(answers.repeats):
                for _, response in answers.readings:
                    _decode(response.body)
                for text in answers.texts:
                    html_to_text(text)
    return sum(one.rows * one.repeats for one in collected) / watch.seconds


def _decode(body: bytes) -> object:
    """What the fastest decoder makes of it."""
    if body.lstrip()[:1] in (b"{", b"["):
        return orjson.loads(body)
    if body.lstrip().startswith(b"<?xml"):
        return etree.fromstring(body, etree.XMLParser(recover=True))
    return html.document_fromstring(body)


def _collected(world: World) -> Iterator[_Answers]:
    """All lists that the world plays, and some details of those that have no texts."""
    by_source: dict[str, _Answers] = {}
    for board in world.board_list():
        found = detect(board["url"])
        if found is None:
            continue
        source, tenant = found
        answers = by_source.setdefault(source.name, _Answers(source))
        rows = _list(world, source, tenant, answers)
        if isinstance(source, DetailSource):
            _details(world, source, tenant, rows, answers)
    yield from by_source.values()


def _list(world: World, source: Source, tenant: str, answers: _Answers) -> list[Posting]:
    rows: list[Posting] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        response = _answered(world, source.request(tenant, cursor))
        if response is None:
            break
        answers.add(lambda one: source.parse(tenant, one).rows, response)
        if answers.unread:
            break
        page = source.parse(tenant, response)
        rows += page.rows
        cursor = page.cursor
        if cursor is None:
            break
    return rows


def _details(world: World, source: DetailSource, tenant: str, rows: Sequence[Posting], answers: _Answers) -> None:
    for row in islice(rows, _DETAILS):
        response = _answered(world, source.detail_request(tenant, row.external_id, row.url))
        if response is not None:
            answers.add(lambda one: (source.parse_detail(tenant, one),), response, counted=False)


def _answered(world: World, request: Request) -> Response | None:
    """What the world says, None where that is no plain success."""
    url = URL(request.url).update_query(request.params)
    headers = {name.lower(): value for name, value in request.headers.items()}
    host = (url.host or "").lower()
    system = next((one for one in SYSTEMS.values() if one.serves(host)), None)
    asked = Asked(host, url.path, dict(url.query), request.method, request.body or b"", headers)
    call = system.route(asked) if system is not None else None
    answer = world.answer(system, call, "all") if system is not None and call is not None else None
    if answer is None or answer.status != 200:
        return None
    return Response(request=request, url=request.url, status=200, headers={}, body=answer.body)
