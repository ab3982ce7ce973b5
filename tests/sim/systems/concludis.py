"""concludis: a root that leads to the list, 25 rows a page opened by script, JSON-LD in each posting's page."""

from __future__ import annotations

import re
from hashlib import md5
from html import escape

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, missing, page, size

_LIST = re.compile(r"/prj/lst/(?:([0-9a-f]{32})/GesamtlisteOffenePositionen\.htm)?")
_JOB = re.compile(r"/prj/shw/([0-9a-f]{32})_0/(\d{1,12})/[^/]+\.htm")
_PAGE_SIZE = 25
_EMPLOYMENT = {
    "full_time": ("FULL_TIME", "Vollzeit"),
    "part_time": ("PART_TIME", "Teilzeit"),
    "temporary": ("TEMPORARY", "Befristet"),
    "internship": ("INTERN", "Praktikum"),
}


class Concludis(Hosted):
    """{tenant}.concludis.de: the tenant is in the host."""

    name = "concludis"
    hosts = re.compile(r"([a-z0-9-]+)\.concludis\.de")

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.concludis.de/"

    def external_id(self, posting: Posting) -> str:
        return f"{posting.number}-{_hash(posting)}_0"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}prj/shw/{_hash(posting)}_0/{posting.number}/stelle.htm"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path == "/":
            return Call("root", tenant)
        if view := _LIST.fullmatch(asked.path):
            return Call("list", tenant, (max(1, size(asked.query.get("page"), 1, 9_999)), view[1] or ""))
        job = _JOB.fullmatch(asked.path)
        return Call("detail", tenant, (int(job[2]), job[1])) if job else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "root":
            return Answer(
                b"", 302, headers={"Location": f"/prj/lst/{_view(call.tenant)}/GesamtlisteOffenePositionen.htm"}
            )
        if call.kind == "list":
            number, named = int(call.args[0]), str(call.args[1])
            if named and named != _view(view.board.tenant):
                return self.unknown(call)
            rows = view.postings((number - 1) * _PAGE_SIZE, number * _PAGE_SIZE)
            count = f'<div class="stellenlsthead"><div class="stellensum">{view.total} Stellen gefunden</div></div>'
            listed = "".join(self._row(view.board.tenant, posting) for posting in rows)
            return page("Stellen", f'<div class="stellenlst">{count}<div class="stellen list">{listed}</div></div>')
        found = view.find(int(call.args[0]))
        if found is None or not found[1] or call.args[1] != _hash(found[0]):
            return self.unknown(call)
        data = orjson.dumps(_posting(found[0])).decode().replace("</", "<\\/")
        return page(
            found[0].title, f'<script type="application/ld+json">{data}</script><h1>{escape(found[0].title)}</h1>'
        )

    def unknown(self, call: Call) -> Answer:
        return page("404", "<h1>404</h1>", 404)

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML) if call.kind in ("root", "list") else missing()

    def _row(self, tenant: str, posting: Posting) -> str:
        city, label, title = posting.city, _EMPLOYMENT[posting.employment][1], escape(posting.title)
        place = f"am Standort {escape(city.name)} {city.postal} - {label}"
        return (
            f"<div onclick=\"cJobboard.openJob('{self.posting_url(tenant, posting)}?b=0&amp;lang=de_DE');\" "
            f'id="line_{posting.number}" class="line_0"><span class="headerlink stellenlink">{title}</span>'
            f'<span class="kurzb"><br /> Stellennummer {posting.number} {place}</span></div>'
        )


def _view(tenant: str) -> str:
    return md5(f"view of {tenant}".encode(), usedforsecurity=False).hexdigest()


def _hash(posting: Posting) -> str:
    return md5(posting.uuid.encode(), usedforsecurity=False).hexdigest()


def _posting(posting: Posting) -> dict[str, object]:
    city = posting.city
    address = {"@type": "PostalAddress", "addressLocality": city.name, "postalCode": city.postal}
    return {
        "@context": "http://schema.org",
        "@type": "JobPosting",
        "datePosted": f"{posting.published:%Y-%m-%d}",
        "title": posting.title,
        "description": "".join(markup(section, posting.company.style) for section in posting.sections()),
        "hiringOrganization": {"@type": "Organization", "name": posting.company.name},
        "jobLocation": {"@type": "Place", "address": address | {"addressCountry": city.country}},
        "employmentType": _EMPLOYMENT[posting.employment][0],
    }


SYSTEM = Concludis()
