"""iCIMS: a shell around a frame, and inside it a search in pages and details with JSON-LD."""

from __future__ import annotations

import re
from html import escape

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.posting import Posting
from tests.sim.structured import job_posting, script
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, missing, page, size

_JOB = re.compile(r"/jobs/(\d{1,12})/(?:[^/]+/)?job")
_TYPES = {"full_time": "Full-Time", "part_time": "Part-Time", "temporary": "Temporary", "internship": "Intern"}


class Icims(Hosted):
    """careers-{company}.icims.com. The length of a page is the tenant's choice."""

    name = "icims"
    hosts = re.compile(r"(careers-[a-z0-9-]+)\.icims\.com")

    def tenant(self, company: Company) -> str:
        return "-".join(("careers", *company.words)).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.icims.com/jobs"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/{posting.number}/any-words-here/job"

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nDisallow: /connect\n"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        inside = asked.query.get("in_iframe") == "1"
        if job := _JOB.fullmatch(asked.path):
            return Call("detail", tenant, (int(job[1]), inside))
        if asked.path.rstrip("/") not in ("/jobs", "/jobs/search", "/jobs/intro"):
            return None
        return Call("list", tenant, (size(asked.query.get("pr"), 0, 100_000), inside))

    def answer(self, call: Call, view: View) -> Answer:
        name = view.board.company.name
        if call.kind == "list":
            return self._search(view, int(call.args[0])) if call.args[1] else _shell(name)
        found = view.find(int(call.args[0]))
        if found is None or not found[1]:
            return Answer(b"Gone", 410, "text/plain; charset=utf-8")
        if not call.args[1]:
            return _shell(f"{found[0].title} | {name}")
        posting = found[0]
        body = f'<div class="iCIMS_JobContent"><h1 class="iCIMS_Header">{escape(posting.title)}</h1></div>'
        return page(posting.title, script(job_posting(posting, self.posting_url(view.board.tenant, posting))) + body)

    def unknown(self, call: Call) -> Answer:
        return missing()

    def saved_tenant(self, name: str, listing: bytes) -> str:
        return f"careers-{name}"

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML) if call.kind == "list" and call.args[0] == 0 else missing()

    def _search(self, view: View, number: int) -> Answer:
        length = 50 if view.board.company.index % 2 else 20
        shown = view.postings(number * length, (number + 1) * length)
        pages = max(1, -(-len(view.keys) // length))
        cards = "".join(self._card(posting, view.board.tenant) for posting in shown)
        heading = f"Search Results Page {number + 1} of {pages}" if shown else "Sorry, no jobs were found"
        return page(
            view.board.company.name,
            f'<h2 class="iCIMS_SubHeader iCIMS_SubHeader_Jobs">{heading}</h2>'
            f'<ul class="container-fluid iCIMS_JobsTable">{cards}</ul>',
        )

    def _card(self, posting: Posting, tenant: str) -> str:
        url = f"{self.posting_url(tenant, posting)}?in_iframe=1"
        label = '<span class="sr-only field-label">'
        return (
            '<li class="iCIMS_JobCardItem"><div class="row">'
            f'<div class="col-xs-6 header left">{label}Job Locations</span><span>{escape(_where(posting))}</span></div>'
            f'<div class="col-xs-12 title"><a href="{url}" class="iCIMS_Anchor" title="{posting.number} - x">'
            f"{label}Job Title</span><h3>{escape(posting.title)}</h3></a></div>"
            '<div class="col-xs-12 additionalFields"><dl class="iCIMS_JobHeaderGroup">'
            f"{_field('Job ID', f'2026-{posting.number}')}{_field('Category', posting.department)}"
            f"{_field('Position Type', _TYPES[posting.employment])}</dl></div></div></li>"
        )


def _field(name: str, value: str) -> str:
    return (
        f'<div class="iCIMS_JobHeaderTag"><dt class="iCIMS_JobHeaderField">{name}</dt>'
        f'<dd class="iCIMS_JobHeaderData"><span>{escape(value)}</span></dd></div>'
    )


def _where(posting: Posting) -> str:
    named = (city.english if posting.language == "en" else city.name for city in posting.cities)
    return " | ".join(f"{city.country}-{name}" for city, name in zip(posting.cities, named, strict=True))


def _shell(name: str) -> Answer:
    """What everybody gets who does not ask from inside the frame."""
    return page(name, f'<h1>{escape(name)}</h1><iframe id="icims_content_iframe" src="?in_iframe=1"></iframe>')


SYSTEM = Icims()
