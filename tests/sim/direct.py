"""The simulated systems without sockets: a client that hands each request to its system."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from daemons.sources import detect, source
from lib.errors import Denied, Gone, Refused, Transient
from lib.net.messages import Request, Response
from lib.net.validators import Validators
from lib.posting.contract import DetailSource, Page, Posting, fill_row, merge_rows
from lib.text.html import html_to_text
from tests.sim.market import Market
from tests.sim.posting import Posting as Truth
from tests.sim.systems import SYSTEMS
from tests.sim.wire import Answer, Asked, Call, System

_MAX_HOPS = 5
_MAX_PAGES = 3_000


class Direct:
    """Answers as the simulator would, redirects followed and statuses turned into errors as the real client does it.

    `asked`: the addresses of all requests, in order.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.asked: list[str] = []

    async def send(self, request: Request, *, validators: Validators | None = None) -> Response:
        url, params = request.url, dict(request.params)
        for _ in range(_MAX_HOPS):
            self.asked.append(url)
            answer = self._answer(request, url, params)
            if answer.status not in (301, 302, 303, 307, 308):
                return response(request, url, answer)
            url, params = urljoin(url, answer.headers["Location"]), {}
        raise Refused("too many redirects")

    def _answer(self, request: Request, url: str, params: dict[str, str]) -> Answer:
        system, call = routed(request, url, params)
        return Answer(b"Not Found", 404) if call is None else self.market.answer(system, call, "all")


def routed(request: Request, url: str, params: Mapping[str, str]) -> tuple[System, Call | None]:
    """The system that `request` goes to when it is sent to `url`, and what is asked for there."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | dict(params)
    headers = {name.lower(): value for name, value in request.headers.items()}
    host = parts.hostname or ""
    asked = Asked(host, unquote(parts.path) or "/", query, request.method, request.body or b"", headers)
    system = next(system for system in SYSTEMS.values() if system.serves(host))
    return system, system.route(asked)


def response(request: Request, url: str, answer: Answer) -> Response:
    """`answer` as the client hands it on. Raises Gone, Denied, Transient or Refused for a status that is an error."""
    said = f"{url}: status {answer.status}"
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.status in request.answers:
        return Response(request=request, url=url, status=answer.status, headers=headers, body=answer.body)
    if answer.status in (404, 410):
        raise Gone(said, status=answer.status)
    if answer.status in (401, 403):
        raise Denied(said)
    if answer.status >= 500:
        raise Transient(said, status=answer.status)
    if answer.status >= 400:
        raise Refused(said)
    return Response(request=request, url=url, status=answer.status, headers=headers, body=answer.body)


async def listed(client: Direct, name: str, tenant: str) -> tuple[list[Posting], list[Page]]:
    """All rows of a board, one for each id, and the pages they came in."""
    reader = source(name)
    pages: list[Page] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        assert len(pages) < _MAX_PAGES, "this list does not end"
        page = reader.parse(tenant, await client.send(reader.request(tenant, cursor)))
        pages.append(page)
        cursor = page.cursor
    return merge_rows(row for page in pages for row in page.rows), pages


async def described(client: Direct, name: str, tenant: str, row: Posting) -> Posting:
    """The row with its text: its own, or with all that its detail says."""
    reader = source(name)
    if row.html is not None or not isinstance(reader, DetailSource):
        return row
    response = await client.send(reader.detail_request(tenant, row.external_id, row.url))
    return fill_row(row, reader.parse_detail(tenant, response))


async def assert_true(client: Direct, name: str, *, details: int = 5) -> None:
    """Every board of a system gives the market's postings: ids, titles, addresses, and the words of some texts."""
    market = client.market
    boards = [board for board in market.boards if board.source == name]
    assert sum(len(board.keys) for board in boards) > 20, "too small a market to say anything"
    for board in boards:
        found = detect(SYSTEMS[name].board_url(board.tenant))
        assert found is not None
        rows, pages = await listed(client, name, found[1])
        truth = {row["external_id"]: row for row in market.truth(name, board.tenant)}
        assert {row.external_id: (row.title, row.url) for row in rows} == {
            external_id: (row["title"], row["url"]) for external_id, row in truth.items()
        }
        assert [page.rejected for page in pages] == [()] * len(pages)
        assert [dict(page.unknown) for page in pages] == [{}] * len(pages)
        postings = {SYSTEMS[name].external_id(posting): posting for posting in market.view(board).postings()}
        for row in rows[:details]:
            full = await described(client, name, found[1], row)
            posting = postings[row.external_id]
            assert (full.external_id, full.title) == (row.external_id, row.title)
            _assert_text(full, posting)


def _assert_text(row: Posting, posting: Truth) -> None:
    """Every sentence is there, in the order in which it was written; so are place and, where stated, pay."""
    text = " ".join(html_to_text(row.html or "").split())
    written = posting.sections("de" if posting.translated and row.language == "de" else None)
    at = 0
    for section in written:
        for line in (*section.paragraphs, *section.bullets):
            at = text.find(" ".join(line.split()), at)
            assert at >= 0, f"{line!r} is missing, or at another place, in {text!r}"
    assert any(city.name in place or city.english in place for place in row.places for city in posting.cities)
    if row.salary is not None:
        assert posting.pay is not None
        assert row.salary.min == posting.pay.min
        assert row.salary.currency == posting.pay.currency
