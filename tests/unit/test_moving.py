"""Where a board that lists nothing has gone: what proves a move, and what must not take a board away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from daemons.careers.closing import Sight
from daemons.careers.elsewhere import board_behind
from daemons.careers.pages import Page
from daemons.careers.visits import Visit
from daemons.crawl.moving import leads_to
from lib.net.messages import Request, Response
from lib.posting.boards import Board

_VENDOR = "https://boards.greenhouse.io/acme"
_OWN = "https://www.acme.example/karriere"
_FRAME = "<iframe src='https://acme.jobs.personio.de/'></iframe>"
_BOARD = Board(
    id=1, source="greenhouse", tenant="acme", company="Acme Labs GmbH", url=_VENDOR, state="active",
    next_due=datetime(2026, 11, 21, tzinfo=UTC), every_s=21_600, last_crawled_at=None, last_complete_at=None,
    last_count=None, suspect_count=0, failures=0, last_error=None,
)  # fmt: skip


def led(markup: str, url: str, *, own_page: bool) -> tuple[str, str] | None:
    response = Response(request=Request(url=url), url=url, status=200, headers={}, body=markup.encode())
    found = leads_to(_BOARD, response, own_page=own_page)
    return None if found is None else (found.source, found.tenant)


@pytest.mark.parametrize(
    ("markup", "url", "own_page", "expected"),
    [
        ("", "https://jobs.lever.co/acme", False, ("lever", "acme")),
        ("", "https://boards.greenhouse.io/acmelabs", False, ("greenhouse", "acmelabs")),
        (_FRAME, _OWN, True, ("personio", "acme")),
        (_FRAME, _OWN, False, ("personio", "acme")),
        ("<a href='https://jobs.lever.co/acme'>Jobs</a>", _OWN, True, ("lever", "acme")),
        ("<a href='https://jobs.lever.co/acme-labs'>Jobs</a>", _OWN, True, ("lever", "acme-labs")),
        ("<a href='https://acmelabs.wd3.myworkdayjobs.com/External'>Jobs</a>", _OWN, True,
         ("workday", "acmelabs.wd3/external")),
    ],
)  # fmt: skip
def test_what_leads_to_the_new_board(markup: str, url: str, own_page: bool, expected: tuple[str, str]) -> None:
    assert led(markup, url, own_page=own_page) == expected


@pytest.mark.parametrize(
    ("markup", "url", "own_page"),
    [
        ("<h1>No such board</h1><iframe src='https://boards.greenhouse.io/embed/job_board?for=vendor'></iframe>",
         _VENDOR, False),
        (_FRAME, "https://www.greenhouse.io/", False),
        ("<a href='https://jobs.lever.co/vendor'>We are hiring</a>", "https://www.greenhouse.io/", False),
        ("", "https://www.arbeitnow.com/", False),
        ("", "https://www.arbeitnow.com/jobs/companies/acme/x-1", True),
        ("", "https://de.jooble.org/SearchResult?ukw=acme", True),
        ("", "https://www.arbeitsagentur.de/jobsuche/suche?was=acme", True),
        ("<a href='https://jobs.lever.co/sister'>Jobs bei unserer Schwester</a>", _OWN, True),
        ("<a href='https://jobs.lever.co/acme-holding'>Jobs</a>", _OWN, True),
        ("<script>var partner = 'https://jobs.lever.co/partner'</script>", _OWN, True),
        ("<a href='https://jobs.lever.co/acme'>Jobs</a>", "https://parked.example/", False),
        ("", _VENDOR, False),
        ("", "https://boards.greenhouse.io/ACME", False),
    ],
)  # fmt: skip
def test_what_must_not_take_a_board_away(markup: str, url: str, own_page: bool) -> None:
    assert led(markup, url, own_page=own_page) is None


def test_two_boards_of_the_company_s_name_leave_it_open_which_is_the_new_one() -> None:
    links = "<a href='https://jobs.lever.co/acme'>Jobs</a><a href='https://acme.jobs.personio.de/'>Jobs</a>"
    assert led(links, _OWN, own_page=True) is None


def test_a_careers_page_that_leads_to_a_job_search_has_no_board_behind_it() -> None:
    row: dict[str, Any] = dict.fromkeys(Page.__dataclass_fields__)
    page = Page(**row | {"url": _OWN})
    assert board_behind(Visit(page=page, sight=Sight.LED_ON, led_to="https://www.arbeitnow.com/")) is None
    behind = board_behind(Visit(page=page, sight=Sight.LED_ON, led_to="https://jobs.lever.co/acme"))
    assert behind is not None
    assert (behind.source, behind.tenant) == ("lever", "acme")
