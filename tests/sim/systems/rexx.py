"""rexx systems: tables or cards, pages by `start` that repeat at the end, session ids, JSON-LD full of entities."""

from __future__ import annotations

import re
from hashlib import blake2b
from html import escape
from html.entities import codepoint2name
from typing import Any

import orjson

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.posting import Posting
from tests.sim.text import Section, markup
from tests.sim.view import View
from tests.sim.wire import HTML, Answer, Asked, Call, Saved, missing, page, size

_JOB = re.compile(r"/(?:.*-)?[a-z]{2}-j(\d{1,18})\.html")
_PAGE_SIZE = 20
_EMPLOYMENT = {"full_time": "FULL_TIME", "part_time": "PART_TIME", "temporary": "TEMPORARY", "internship": "INTERN"}
_LIBRARIES = ("wget", "python-requests", "python-urllib", "Go-http-client", "Java", "aiohttp", "Scrapy")
_ENTITIES = {code: f"&{name};" for code, name in codepoint2name.items() if code > 127}
# UTF-8 that was taken for Latin-1 before its letters were made entities
_TWICE = {
    code: "".join(
        f"&{codepoint2name[byte]};" if byte in codepoint2name else f"&#{byte};" for byte in chr(code).encode()
    )
    for code in map(ord, "äöüßÄÖÜ")
}


class Rexx(Hosted):
    """{tenant}-portal.rexx-systems.com: the tenant is in the host."""

    name = "rexx"
    hosts = re.compile(r"([a-z0-9-]+)-portal\.rexx-systems\.com")

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"{_origin(tenant)}/stellenangebote.html"

    def external_id(self, posting: Posting) -> str:
        return str(posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        slug = re.sub(r"[^A-Za-z0-9]+", "-", posting.title).strip("-")
        return f"{_origin(tenant)}/{slug}-{posting.language}-j{posting.number}.html"

    def robots(self, host: str) -> str | None:
        return "".join(f"User-agent: {name}\nDisallow: /\n\n" for name in _LIBRARIES)

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path in ("/stellenangebote.html", "/"):
            return Call("list", tenant, (size(asked.query.get("start"), 0, 999_999),))
        job = _JOB.fullmatch(asked.path)
        return Call("detail", tenant, (int(job[1]),)) if job else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "list":
            return self._list(view, int(call.args[0]))
        found = view.find(int(call.args[0]))
        if found is None or not found[1]:
            # Where somebody knew the posting, some portals show their list instead.
            return self._list(view, 0) if found and view.board.company.index % 2 else page("404", "<h1>404</h1>", 404)
        data = orjson.dumps(_posting(found[0])).decode().replace("</", "<\\/")
        return page(
            found[0].title, f'<script type="application/ld+json">{data}</script><h1>{escape(found[0].title)}</h1>'
        )

    def unknown(self, call: Call) -> Answer:
        return page("404", "<h1>404</h1>", 404)

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=HTML) if call.kind == "list" else missing()

    def _list(self, view: View, start: int) -> Answer:
        pages = max(1, -(-len(view.keys) // _PAGE_SIZE))
        at = min(start // _PAGE_SIZE, pages - 1) * _PAGE_SIZE
        postings = view.postings(at, at + _PAGE_SIZE)
        tenant, index = view.board.tenant, view.board.company.index
        if index % 3 == 2:  # a skin without a link to the next page
            return page(
                view.board.company.name, f'<div id="joblist_navigator_top"></div>{self._cards(postings, tenant, None)}'
            )
        following = at + _PAGE_SIZE
        link = f'<a href="/stellenangebote.html?start={following}">weiter</a>' if following < len(view.keys) else ""
        navigator = f'<div id="joblist_navigator"><span class="nav_next">{link}</span></div>'
        body = self._table(postings, tenant) if index % 3 else self._cards(postings, tenant, view.total)
        return page(view.board.company.name, body + navigator)

    def _table(self, postings: list[Posting], tenant: str) -> str:
        columns = ("stellenbezeichnung", "standort_bez", "taetigkeiten", "valid_until")
        heads = "".join(f'<th><a href="?order[field]={name}&amp;order[type]=asc">x</a></th>' for name in columns)
        rows = "".join(
            f"<tr><td><a href='{self._link(posting, tenant)}'>{escape(posting.title)}</a></td>"
            f"<td>{_place(posting)}</td><td>{escape(posting.department)}</td><td>00.00.0000</td></tr>"
            for posting in postings
        )
        return f'<table id="joboffers" class="real_table"><tr>{heads}</tr>{rows}</table>'

    def _cards(self, postings: list[Posting], tenant: str, total: int | None) -> str:
        cards = "".join(
            f"<article class='joboffer_container' onclick=\"window.location.href='{self._link(posting, tenant)}'\">"
            f"<div class='joboffer_title_text joboffer_box'><a href='{self._link(posting, tenant)}'>"
            f"{escape(posting.title)}&nbsp;</a></div><div class='joboffer_informations joboffer_box'>"
            f"<span class='job_standort'>{_place(posting)}</span>"
            f"<span class='job_details_first'>{escape(posting.department)}</span></div></article>"
            for posting in postings
        )
        counts = "" if total is None else f' data-count="{total}" data-all-count="{total}"'
        return f'<section id="joboffer_table_container"{counts}>{cards}</section>'

    def _link(self, posting: Posting, tenant: str) -> str:
        session = blake2b(posting.uuid.encode(), digest_size=16).hexdigest()
        return f"{self.posting_url(tenant, posting)}?sid={session}"


def _origin(tenant: str) -> str:
    return f"https://{tenant}-portal.rexx-systems.com"


def _place(posting: Posting) -> str:
    return escape(" / ".join(city.name for city in posting.cities))


def _posting(posting: Posting) -> dict[str, Any]:
    sections: dict[str, Section] = {section.kind: section for section in posting.sections()}
    entities = _TWICE if posting.company.quirk < 0.3 else _ENTITIES

    def text(*kinds: str) -> str:
        return "".join(markup(sections[kind], posting.company.style) for kind in kinds).translate(entities)

    every = text(*sections)
    city = posting.city
    address = {
        "@type": "PostalAddress",
        "streetAddress": posting.address,
        "addressLocality": city.name,
        "postalCode": city.postal,
        "addressCountry": city.country,
    }
    return {
        "@context": "http://schema.org",
        "@type": "JobPosting",
        "title": escape(posting.title),
        "datePosted": f"{posting.published:%Y-%m-%d}",
        "employmentType": _EMPLOYMENT[posting.employment],
        # What the description says already comes once more in its parts.
        "description": every,
        "responsibilities": text("tasks"),
        "qualifications": ".",
        "jobBenefits": text("benefits"),
        "directApply": True,
        "hiringOrganization": {"@type": "Organization", "name": posting.company.name, "logo": ""},
        "jobLocation": {"@type": "Place", "address": address},
    }


SYSTEM = Rexx()
