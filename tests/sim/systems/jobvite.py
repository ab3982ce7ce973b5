"""Jobvite's pages: a search in pages of fifty, a "View All" that cuts its groups, details with and without JSON-LD."""

from __future__ import annotations

import re
from html import escape

from tests.sim.companies import Company
from tests.sim.places import COUNTRY_NAMES, City
from tests.sim.posting import Posting
from tests.sim.structured import job_posting, script, text_of
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, System, missing, page, size

_PATH = re.compile(r"/(?:careers/)?([A-Za-z0-9_-]+)(?:/(search|jobs|job/([A-Za-z0-9]+)(?:/apply)?))?/?")
_NUMBER = re.compile(r"o(\d{1,18})", re.ASCII)
_LINK = re.compile(rb'href="/([A-Za-z0-9_-]+)/job/')
_PAGE_SIZE = 50
_GROUP_SIZE = 10


class Jobvite(System):
    """jobs.jobvite.com. Who asks for an unknown company ends on a page of the vendor's."""

    name = "jobvite"

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://jobs.jobvite.com/{tenant}"

    def external_id(self, posting: Posting) -> str:
        return f"o{posting.number}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/job/{self.external_id(posting)}"

    def serves(self, host: str) -> bool:
        return host in ("jobs.jobvite.com", "support.jobvite.com")

    def route(self, asked: Asked) -> Call | None:
        if asked.host.startswith("support"):
            return Call("vendor", "")
        match = _PATH.fullmatch(asked.path)
        if match is None:
            return None
        if match[3]:
            return Call("detail", match[1], (match[3],))
        if match[2] == "search":
            return Call("list", match[1], (size(asked.query.get("p"), 0, 100_000),))
        return Call("groups", match[1])

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "groups":
            return self._groups(view)
        if call.kind == "list":
            return self._search(view, int(call.args[0]))
        number = _NUMBER.fullmatch(str(call.args[0]))
        found = view.find(int(number[1])) if number else None
        if found is None or not found[1]:
            return Answer(b"", 303, headers={"Location": f"{self.board_url(view.board.tenant)}/jobs?error=404"})
        return self._detail(found[0], view.board.tenant)

    def unknown(self, call: Call) -> Answer:
        if call.kind == "vendor":
            return page("Jobvite Support", "<h1>Looking for a job?</h1>")
        return Answer(b"", 302, headers={"Location": "https://support.jobvite.com/job-seeker?invalid=1"})

    def saved_tenant(self, name: str, listing: bytes) -> str:
        """Whom the links in the list are of: others' postings are not read."""
        found = _LINK.search(listing)
        return found[1].decode() if found else name

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML) if call.kind == "list" and not call.args[0] else missing()

    def _search(self, view: View, number: int) -> Answer:
        start = number * _PAGE_SIZE
        shown = view.postings(start, start + _PAGE_SIZE)
        last = start + len(shown)
        following = f"/{view.board.tenant}/search?p={number + 1}"
        more = f'<a class="jv-pagination-next" href="{following}">Next</a>' if last < len(view.keys) else ""
        said = f'<span class="jv-pagination-text">{start + 1}-{last} of {view.total}</span>' if shown else ""
        return _page(view, f'{self._table(view, shown)}<div class="jv-pagination">{said}{more}</div>')

    def _groups(self, view: View) -> Answer:
        """Every department with its first postings only."""
        groups: dict[str, list[Posting]] = {}
        for posting in view.postings():
            groups.setdefault(posting.department, []).append(posting)
        parts = (f"<h3>{escape(name)}</h3>{self._table(view, rows[:_GROUP_SIZE])}" for name, rows in groups.items())
        return _page(view, "".join(parts))

    def _table(self, view: View, rows: list[Posting]) -> str:
        lines = (
            f'<tr><td class="jv-job-list-name"><a href="/{view.board.tenant}/job/{self.external_id(one)}">'
            f'{escape(one.title)}</a></td><td class="jv-job-list-location">\n {_where(one)} </td></tr>'
            for one in rows
        )
        return f'<table class="jv-job-list"><tbody>{"".join(lines)}</tbody></table>'

    def _detail(self, posting: Posting, tenant: str) -> Answer:
        places = '<span class="jv-inline-separator"></span>'.join(_place(city, posting) for city in posting.cities)
        url = self.posting_url(tenant, posting)
        body = (
            f'<h2 class="jv-header">{escape(posting.title)}</h2>'
            f'<p class="jv-job-detail-meta">{escape(posting.department)}'
            f'<span class="jv-inline-separator"></span>{places}</p>'
            f'<div class="jv-job-detail-description"><!-- text -->{text_of(posting)}</div>'
            f'<a class="jv-button-apply" href="{url}/apply">Apply</a>'
        )
        if posting.company.index % 2:
            body += script(job_posting(posting, url))
        return page(posting.title, f'<div class="jv-page">{body}</div>')


def _page(view: View, body: str) -> Answer:
    name = escape(view.board.company.name)
    return page(view.board.company.name, f'<div class="jv-page-body"><h2>{name}</h2>{body}</div>')


def _where(posting: Posting) -> str:
    several = len(posting.cities)
    return f'<div class="jv-meta">{several} Locations</div>' if several > 1 else escape(_place(posting.city, posting))


def _place(city: City, posting: Posting) -> str:
    name = city.english if posting.language == "en" else city.name
    return f"{name}, {COUNTRY_NAMES[city.country]['en']}"


SYSTEM = Jobvite()
