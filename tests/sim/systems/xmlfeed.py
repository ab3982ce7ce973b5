"""XML job feeds on employers' own hosts: one document with everything, in the two forms that search engines ask for."""

from __future__ import annotations

import re
from email.utils import format_datetime
from html import escape

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.pay import Pay
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, missing, posting_or_missing

_EMPLOYMENT = {"full_time": "fulltime", "part_time": "parttime", "temporary": "temporary", "internship": "internship"}
_REMOTE = {"remote": "Fully remote", "hybrid": "Hybrid remote", "onsite": "On-site", None: ""}
_PERIOD = {"year": "per year", "month": "per month", "hour": "per hour"}
_XML = "application/xml"


class XmlFeed(Hosted):
    """jobs.{tenant}.example/feed.xml; half of the employers write `source`, the others `jobs`."""

    name = "xmlfeed"
    hosts = re.compile(r"jobs\.([a-z0-9-]+)\.example")

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"feed:https://jobs.{tenant}.example/feed.xml"

    def external_id(self, posting: Posting) -> str:
        return f"ref-{posting.number}"

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"https://jobs.{tenant}.example/stelle/{posting.number}?utm_source=feed&utm_medium=xml"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path == "/feed.xml":
            return Call("list", tenant)
        page = re.fullmatch(r"/stelle/(\d{1,18})", asked.path)
        return Call("page", tenant, (int(page[1]),)) if page else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "page":
            return posting_or_missing(view.find(int(call.args[0])))
        root = "source" if view.board.company.quirk < 0.5 else "jobs"
        head = f"<publisher>{escape(view.board.company.name)}</publisher>\n" if root == "source" else ""
        jobs = "".join(self._job(view.board.tenant, posting) for posting in view.postings())
        document = f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n{head}{jobs}</{root}>\n'
        return Answer(document.encode(), content_type=_XML, tagged=True)

    def unknown(self, call: Call) -> Answer:
        return missing()

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=_XML) if call.kind == "list" else missing()

    def _job(self, tenant: str, posting: Posting) -> str:
        text = "".join(markup(section, posting.company.style) for section in posting.sections())
        fields = (
            ("title", posting.title),
            ("date", format_datetime(posting.published, usegmt=True)),
            ("referencenumber", self.external_id(posting)),
            ("url", self.posting_url(tenant, posting)),
            ("company", posting.company.name),
            ("city", posting.city.english if posting.language == "en" else posting.city.name),
            ("state", posting.city.region),
            ("country", posting.city.country),
            ("description", text),
            ("salary", _salary(posting.pay) if posting.pay and posting.structured else ""),
            ("jobtype", _EMPLOYMENT[posting.employment]),
            ("category", posting.department),
            ("remotetype", _REMOTE[posting.remote]),
            ("language", posting.language),
        )
        inside = "".join(f"    <{name}><![CDATA[{value}]]></{name}>\n" for name, value in fields if value)
        return f"  <job>\n{inside}  </job>\n"


def _salary(pay: Pay) -> str:
    upper = "" if pay.max is None else f" - {pay.max:.0f}"
    return f"{pay.currency} {pay.min:.0f}{upper} {_PERIOD[pay.period]}"


SYSTEM = XmlFeed()
