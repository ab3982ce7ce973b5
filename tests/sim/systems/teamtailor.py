"""Teamtailor's JSON feed: one document, a schema.org JobPosting in each item, ids that are found nowhere else."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.places import City
from tests.sim.posting import Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, board_page, missing, posting_or_missing

_JOB = re.compile(r"/jobs/(\d{1,18})(?:-[^/]*)?/?")
_FEED = "application/feed+json; charset=utf-8"
_SUMMER = timezone(timedelta(hours=2))


class Teamtailor(Hosted):
    """{tenant}.teamtailor.com, and {tenant}.na.teamtailor.com for every fourth company."""

    name = "teamtailor"
    hosts = re.compile(r"([a-z0-9-]+(?:\.na)?)\.teamtailor\.com")

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower() + (".na" if company.index % 4 == 0 else "")

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.teamtailor.com/jobs"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/{posting.number}-stelle"

    def robots(self, host: str) -> str | None:
        return "User-agent: *\nContent-Signal: search=yes, ai-input=no\nAllow: /\n"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path == "/jobs.json":
            return Call("list", tenant)
        if job := _JOB.fullmatch(asked.path):
            return Call("page", tenant, (int(job[1]),))
        return Call("page", tenant, (0,)) if asked.path in ("/", "/jobs", "/jobs/") else None

    def answer(self, call: Call, view: View) -> Answer:
        tenant = view.board.tenant
        if call.kind == "page":
            if not call.args[0]:
                return board_page(self, tenant, view)
            return posting_or_missing(view.find(int(call.args[0])))
        board = self.board_url(tenant)
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": view.board.company.name,
            "home_page_url": board,
            "feed_url": f"{board}.json",
            "items": [self._item(posting, tenant) for posting in view.postings()],
        }
        return Answer(orjson.dumps(feed), content_type=_FEED)

    def unknown(self, call: Call) -> Answer:
        return missing()

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=_FEED) if call.kind == "list" else missing()

    def _item(self, posting: Posting, tenant: str) -> dict[str, Any]:
        text = "".join(markup(section, posting.company.style) for section in posting.sections())
        published = posting.published.astimezone(_SUMMER).isoformat(timespec="seconds")
        organisation = {"@type": "Organization", "name": posting.company.name}
        return {
            "id": posting.uuid,
            "title": posting.title,
            "url": self.posting_url(tenant, posting),
            "date_published": published,
            "content_html": text,
            "_jobposting": {
                "@context": "http://schema.org/",
                "@type": "JobPosting",
                "title": posting.title,
                "description": text,
                "identifier": {"@type": "PropertyValue", "name": "Teamtailor", "value": posting.number},
                "datePosted": published,
                "hiringOrganization": {**organisation, "sameAs": f"https://{tenant}.teamtailor.com"},
                "jobLocation": [_place(city, posting) for city in posting.cities],
            },
        }


def _place(city: City, posting: Posting) -> dict[str, Any]:
    address = {
        "@type": "PostalAddress",
        "streetAddress": posting.address,
        "addressLocality": city.english if posting.language == "en" else city.name,
        "postalCode": city.postal,
        "addressCountry": city.country,
        "addressRegion": "DACH",
    }
    return {"@type": "Place", "address": address}


SYSTEM = Teamtailor()
