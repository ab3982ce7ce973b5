"""Umantis: a table of ten a page whose number is in the page only, vacancies without any machine-readable data."""

from __future__ import annotations

import re
from html import escape
from zlib import crc32

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, missing, page

_VACANCY = re.compile(r"/Vacancies/(\d{1,12})/Description/(\d{1,6})/?")
_FIRST = 2_000
_PAGE_SIZE = 10
_LABELS = {"de": ("Art", "Anstellungsort"), "en": ("Type", "Place of work")}
_TYPES = {
    "de": {"full_time": "Vollzeit", "part_time": "Teilzeit", "temporary": "Befristet", "internship": "Praktikum"},
    "en": {"full_time": "Full time", "part_time": "Part time", "temporary": "Fixed term", "internship": "Internship"},
}
_MARKETING = "<h1>Umantis Talent Management</h1><p>Die Software f&uuml;r Ihr Recruiting.</p><a href='/demo'>Demo</a>"


class Umantis(Hosted):
    """recruitingapp-{number}.umantis.com. A number that no customer has shows a page of the vendor's."""

    name = "umantis"
    hosts = re.compile(r"recruitingapp-(\d{1,9})\.umantis\.com")

    def tenant(self, company: Company) -> str:
        return str(_FIRST + company.index)

    def board_url(self, tenant: str) -> str:
        return f"{_origin(tenant)}/Jobs/All"

    def external_id(self, posting: Posting) -> str:
        return f"{posting.number}-{_segment(posting)}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{_origin(tenant)}/Vacancies/{posting.number}/Description/{_segment(posting)}"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path in ("/Jobs/All", "/Jobs", "/Jobs/1"):
            asked_for = asked.query.get(f"tc{_table(tenant)}", "p1")
            number = int(asked_for[1:]) if re.fullmatch(r"p\d{1,4}", asked_for, re.ASCII) else 1
            return Call("list", tenant, (number,))
        vacancy = _VACANCY.fullmatch(asked.path)
        return Call("detail", tenant, (int(vacancy[1]), int(vacancy[2]))) if vacancy else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            return self._list(view, int(call.args[0]))
        found = view.find(int(call.args[0]))
        if found is None or not found[1]:
            return Answer(b"<html><body>Forbidden</body></html>", 403, HTML)
        posting, company = found[0], escape(view.board.company.name)
        if int(call.args[1]) != _segment(posting):
            return page(f" | {view.board.company.name}", "<div></div>")
        text = "".join(markup(section, posting.company.style) for section in posting.sections())
        apply = f"/Vacancies/{posting.number}/Application/CheckLogin/{_segment(posting)}?lang=ger"
        return page(
            f"{posting.title} | {view.board.company.name}",
            f"<script>var globalUmantisParams = {{}};</script><header>{company}</header><nav><a href='/Jobs/All'>Alle "
            f"Stellen</a></nav><div class='right'><h1>{escape(posting.title)}</h1>{text}</div>"
            f"<a href='{apply}'>Jetzt bewerben</a><footer>Impressum</footer>",
        )

    def unknown(self, call: Call) -> Answer:
        return page("Umantis", _MARKETING)

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return str(crc32(name.encode()) % 1_000_000)

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML) if call.kind == "list" else missing()

    def _list(self, view: View, number: int) -> Answer:
        pages = max(1, -(-len(view.keys) // _PAGE_SIZE))
        if number > pages and view.board.company.index % 2:
            postings = []  # past the end some customers' tables are empty, others show their last page again
        else:
            start = (min(max(number, 1), pages) - 1) * _PAGE_SIZE
            postings = view.postings(start, start + _PAGE_SIZE)
        modern = view.board.company.index % 2 == 0
        rows = "".join(map(_modern_row if modern else _old_row, postings))
        names = "c-box c-table table-as-list" if modern else "tableaslist"
        state = escape(f'{{"TableNr":"{_table(view.board.tenant)}","TableTo":{_PAGE_SIZE}}}')
        navigation = f'<table-navigation initial-data-string="{state}"></table-navigation>'
        return page(view.board.company.name, f'<table class="{names}"><tbody>{rows}</tbody></table>{navigation}')


def _origin(tenant: str) -> str:
    return f"https://recruitingapp-{tenant}.umantis.com"


def _table(tenant: str) -> int:
    return 1_150_000 + int(tenant) % 10_000


def _segment(posting: Posting) -> int:
    return 1 if posting.language == "de" else 2


def _link(posting: Posting) -> str:
    href = f"/Vacancies/{posting.number}/Description/{_segment(posting)}?lang=ger"
    title = escape(posting.title)
    return f'<a href="{href}" class="HSTableLinkSubTitle" aria-label="{title}">{title}</a>'


def _modern_row(posting: Posting) -> str:
    kind, place = _LABELS[posting.language]
    items = ((kind, "jobtype", _TYPES[posting.language][posting.employment]), (place, "department", posting.city.name))
    columns = "".join(
        f'<li><span class="visually-hidden">{label}</span><i class="icon icon-{icon}"></i>'
        f'<span class="column-value">{escape(value)}</span></li>'
        for label, icon, value in items
    )
    return f'<tr class="table-as-list__contentrow1"><td><ul><li>{_link(posting)}</li>{columns}</ul></td></tr>'


def _old_row(posting: Posting) -> str:
    kind, place = _LABELS[posting.language]
    values = ((kind, _TYPES[posting.language][posting.employment]), (place, posting.city.name))
    spans = "".join(
        f'<span class="tableaslist_subtitle">&nbsp;|&nbsp;{label}: {escape(value)}</span>' for label, value in values
    )
    date = f'<span class="tableaslist_text">Online seit: {posting.published:%d.%m.%Y}<br></span>'
    title = f'<span class="tableaslist_subtitle">{_link(posting)}</span>'
    return f'<tr class="tableaslist_contentrow1"><td class="tableaslist_cell"><div>{date}{title}{spans}</div></td></tr>'


SYSTEM = Umantis()
