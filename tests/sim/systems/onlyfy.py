"""onlyfy: a fragment of rows that a page loads, adverts whose text is in elements of their own, tokens for ids."""

from __future__ import annotations

import re
from html import escape

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.posting import Posting
from tests.sim.text import Section, markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, board_page, missing, page, posting_page, size

_JOB = re.compile(r"(?:/[a-z]{2})?/job/(show/)?([a-z0-9]{4,40})(?:/full)?/?")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LARGEST_PAGE = 100


class Onlyfy(Hosted):
    """{tenant}.onlyfy.jobs: the tenant is in the host."""

    name = "onlyfy"
    hosts = re.compile(r"([a-z0-9-]+)\.onlyfy\.jobs")

    def tenant(self, company: Company) -> str:
        return "".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.onlyfy.jobs"

    def external_id(self, posting: Posting) -> str:
        return _token(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/job/{_token(posting.number)}"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path == "/candidate/job/ajax_list":
            length = size(asked.query.get("display_length"), 10, _LARGEST_PAGE)
            return Call("list", tenant, (max(1, size(asked.query.get("page"), 1, 9_999)), max(1, length)))
        if job := _JOB.fullmatch(asked.path):
            return Call("detail" if job[1] else "page", tenant, (job[2],))
        return Call("page", tenant, ("",)) if asked.path in ("/", "/de", "/en") else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            number, length = int(call.args[0]), int(call.args[1])
            start = (number - 1) * length
            rows = "".join(map(_row, view.postings(start, start + length)))
            more = '<div class="row navigation pagination-next-container text-center"></div>'
            return Answer((rows + (more if start + length < len(view.keys) else "")).encode(), content_type=HTML)
        if not call.args[0]:
            return board_page(self, view.board.tenant, view)
        found = view.find(int(str(call.args[0])[3:], 36)) if str(call.args[0]).startswith("job") else None
        if found is None or not found[1]:
            return page("404", "<h1>404</h1>", 404)
        return posting_page(found[0]) if call.kind == "page" else _advert(found[0])

    def unknown(self, call: Call) -> Answer:
        return page("onlyfy one", "<h1>Recruiting, das passt</h1>", 200 if call.kind == "list" else 404)

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML) if call.kind == "list" else missing()


def _token(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return f"job{digits}"


def _row(posting: Posting) -> str:
    place = f'<i class="icon-map-marker"></i> {escape(posting.city.name)}'
    return (
        '<div class="row row-table row-24 collapsed row-table-condensed"><div class="cell-table col-sm-14 col-xs-16">'
        f'<div class="inner"><strong class="job-title"><a href="/job/{_token(posting.number)}?lang=de">'
        f"{escape(posting.title)}</a></strong></div></div>"
        f'<div class="cell-table"><div class="inner">{place}</div></div>'
        f'<div class="cell-table"><div class="inner">{posting.published:%d.%m.%y}</div></div></div>'
    )


def _advert(posting: Posting) -> Answer:
    def element(section: Section) -> str:
        heading = f"<h2 class='text-element-header_text'>{escape(section.heading)}</h2>" if section.heading else ""
        text = markup(section, posting.company.style, heading=False)
        return f"{heading}<div class='text-element-body_text'>{text}</div>"

    place = f"<div class='text-element-body_text'>Standort: {escape(posting.city.name)}</div>"
    head = f"<h1>{escape(posting.company.name)}</h1>{place}"
    return page(posting.title, f"<main>{head}{''.join(map(element, posting.sections()))}</main>")


SYSTEM = Onlyfy()
