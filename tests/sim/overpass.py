"""The map and the companies' own sites: an Overpass API server, and the pages that its answers lead to.

Shapes of answers after dev.overpass-api.de and wiki.openstreetmap.org, read 2026-11. Each company of the market stands
near its seat, with its site in one of the tags that people use, among shops without sites, pages of platforms and
addresses that are none. Its site leads to its board in one of `_WAYS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import orjson

from tests.sim.market import Market
from tests.sim.systems import SYSTEMS
from tests.sim.view import Board
from tests.sim.wire import Answer, Asked

HOST = "overpass-api.de"
URL = f"https://{HOST}/api/interpreter"
MOST = 40  # elements that the server finds within its time
_BOX = re.compile(r"\[bbox:(-?[\d.]+),(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)\]")
_HEAD = re.compile(r"^\[out:json\]\[timeout:\d{1,3}\]\[maxsize:\d{1,12}\]")
_TAGS = ("website", "contact:website", "url")
_SEARCHES = frozenset({"adzuna", "arbeitnow", "bundesagentur", "jooble"})
_KINDS = ({"office": "company"}, {"craft": "carpenter"}, {"industrial": "factory"}, {"amenity": "hospital"})
_JUNK: tuple[dict[str, Any], ...] = (
    {"name": "Imbiss", "amenity": "fast_food"},
    {"name": "Studio", "office": "company", "website": "https://www.facebook.com/studio"},
    {"name": "Lager", "office": "company", "website": "siehe Aushang"},
    {"office": "company", "contact:website": "http://10.0.0.7/"},
)


class Web:
    """The map server and the sites of a market's companies."""

    def __init__(self, market: Market, most: int = MOST) -> None:
        self.most = most
        self._boards = {board.company.domain: board for board in market.boards}

    def answer(self, asked: Asked) -> Answer | None:
        """The answer, None where nothing of ours is asked for."""
        if asked.host == HOST:
            return self._map(asked) if asked.path == "/api/interpreter" else None
        domain = asked.host.removeprefix("www.")
        board = self._boards.get(domain)
        return None if board is None else _page(board, domain, asked.path)

    def ways(self) -> Iterator[tuple[str, Board, bool]]:
        """Each site's host, the board of its company, and whether the site leads there."""
        for domain, board in self._boards.items():
            yield domain, board, way_of(board) is not _nothing and way_of(board) is not _forbidden

    def _map(self, asked: Asked) -> Answer:
        query = asked.query.get("data") or asked.body.decode("utf-8", "replace")
        box = _BOX.search(query)
        if not _HEAD.match(query) or box is None or "out tags center" not in query:
            return Answer(b"<html><body><p>Error: line 1: parse error</p></body></html>", 400, "text/html")
        south, west, north, east = map(float, box.groups())
        elements = [
            element
            for number, board in enumerate(self._boards.values())
            for element in _elements(number, board)
            if south <= element["center"]["lat"] < north and west <= element["center"]["lon"] < east
        ]
        answer = {
            "version": 0.6,
            "generator": "Overpass API 0.7.62.8 e802775f",
            "osm3s": {"timestamp_osm_base": "2026-11-21T04:30:00Z", "copyright": "The data is made up."},
            "elements": [_shaped(element) for element in elements[: self.most]],
        }
        if len(elements) > self.most:
            answer["remark"] = 'runtime error: Query timed out in "query" at line 1 after 61 seconds.'
        return Answer(orjson.dumps(answer), content_type="application/json")


def _elements(number: int, board: Board) -> Iterator[dict[str, Any]]:
    """A company as the map shows it, and what stands beside it. Streets are some 200 m apart."""
    company = board.company
    site = f"www.{company.domain}" if number % 5 == 0 else f"https://www.{company.domain}/{'de/' if number % 2 else ''}"
    tags = {"name": company.name, _TAGS[number % len(_TAGS)]: site, **_KINDS[number % len(_KINDS)]}
    lat = company.seat.latitude + (number % 7 - 3) * 0.002
    lon = company.seat.longitude + (number % 5 - 2) * 0.002
    for place, one in enumerate((tags, _JUNK[number % len(_JUNK)])):
        yield {"id": 1_000 * number + place, "center": {"lat": lat, "lon": lon}, "tags": one}


def _shaped(element: dict[str, Any]) -> dict[str, Any]:
    """Nodes have their place themselves, ways and relations in `center`."""
    kind = ("node", "way", "relation")[element["id"] % 3]
    rest = dict(element)
    place = rest.pop("center")
    return {"type": kind, **(place if kind == "node" else {"center": place}), **rest}


def _page(board: Board, domain: str, path: str) -> Answer | None:
    way = way_of(board)
    if path == "/robots.txt":
        return Answer(b"User-agent: *\nDisallow: /karriere\n", content_type="text/plain") if way is _forbidden else None
    url = SYSTEMS[board.source].board_url(board.tenant)
    if path in ("/", "/de/"):
        return _html(board, f"<nav><a href='/impressum'>Impressum</a> {way('front', url)}</nav>")
    if path == "/karriere" and way is _redirect:
        return Answer(b"", 302, headers={"Location": url})
    if path == "/karriere" and way is not _nothing:
        return _html(board, way("careers", url))
    return None


def _html(board: Board, body: str) -> Answer:
    name = escape(board.company.name)
    text = f"<!DOCTYPE html><html lang=de><head><title>{name}</title></head><body><h1>{name}</h1>{body}</body></html>"
    return Answer(text.encode(), content_type="text/html; charset=utf-8")


_CAREERS = "<a href='/karriere'><span>Karriere</span></a>"


def _frame(page: str, url: str) -> str:
    return _CAREERS if page == "front" else f"<iframe src='{escape(url)}' title=Jobs></iframe>"


def _link(page: str, url: str) -> str:
    return f"<a class=cta href='{escape(url)}'>Stellenangebote</a>"


def _script(page: str, url: str) -> str:
    escaped = url.replace("/", "\\/")
    return _CAREERS if page == "front" else f'<script>var jobs = "{escaped}";</script>'


def _redirect(page: str, url: str) -> str:
    return "<a href='/karriere' title='Jobs und Karriere'><img src='/jobs.png' alt=''></a>"


def _forbidden(page: str, url: str) -> str:
    return _frame(page, url)


def _nothing(page: str, url: str) -> str:
    return ""


_WAYS: tuple[Callable[[str, str], str], ...] = (_frame, _link, _script, _redirect, _frame, _link, _forbidden, _nothing)


def way_of(board: Board) -> Callable[[str, str], str]:
    """How a company's site leads to its board; not at all where that is a feed, or a search over many companies."""
    if board.source in _SEARCHES or not SYSTEMS[board.source].board_url(board.tenant).startswith("https://"):
        return _nothing
    return _WAYS[board.company.index % len(_WAYS)]
