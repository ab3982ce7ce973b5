"""Personio's XML feed: one document per language, empty descriptions where nobody translated, ids that repeat."""

from __future__ import annotations

import re
from html import escape

from tests.sim.companies import Company
from tests.sim.hosted import Hosted
from tests.sim.pay import Pay
from tests.sim.posting import Language, Posting
from tests.sim.text import markup
from tests.sim.view import View
from tests.sim.wire import Answer, Asked, Call, Saved, board_page, page, posting_page

_BASE = 900_000
_EMPLOYMENT = {"full_time": "permanent", "part_time": "permanent", "temporary": "temporary", "internship": "intern"}
_INTRO = {"de": "Die Stelle", "en": "The position"}
_XML = "text/xml; charset=UTF-8"


class Personio(Hosted):
    """{tenant}.jobs.personio.de (and .com): the tenant is in the host."""

    name = "personio"
    hosts = re.compile(r"([a-z0-9-]+)(?:\.jobs|-jobs)\.personio\.(?:de|com)")

    def tenant(self, company: Company) -> str:
        return "-".join(company.words).lower()

    def board_url(self, tenant: str) -> str:
        return f"https://{tenant}.jobs.personio.de"

    def external_id(self, posting: Posting) -> str:
        return str(_BASE + posting.number)

    def posting_url(self, tenant: str, posting: Posting) -> str:
        return f"{self.board_url(tenant)}/job/{self.external_id(posting)}?language={posting.language}"

    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        if asked.path in ("/xml", "/xml/"):
            return Call("list", tenant, (asked.query.get("language", "")[:5],))
        if job := re.fullmatch(r"/job/(\d{1,18})/?", asked.path):
            return Call("page", tenant, (int(job[1]),))
        return Call("page", tenant, (0,)) if asked.path == "/" else None

    def answer(self, call: Call, view: View) -> Answer:
        if call.kind == "page":
            if not call.args[0]:
                return board_page(self, view.board.tenant, view)
            found = view.find(int(call.args[0]) - _BASE)
            return posting_page(found[0]) if found and found[1] else self.unknown(call)
        language = str(call.args[0]) or view.board.languages[0]
        positions = "".join(_position(posting, language) for posting in view.postings())
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<workzag-jobs>\n{positions}</workzag-jobs>\n'
        return Answer(document.encode(), content_type=_XML)

    def unknown(self, call: Call) -> Answer:
        return page("Seite nicht gefunden", "<h1>404</h1><p>Diese Seite gibt es nicht.</p>", 404)

    def replay(self, call: Call, saved: Saved) -> Answer:
        return Answer(saved.listing, content_type=_XML) if call.kind == "list" else self.unknown(call)


def _position(posting: Posting, language: str) -> str:
    """The posting in `language`: with text where it exists, and now and then once more without."""
    written = language == posting.language or (posting.translated and language in ("de", "en"))
    text = _descriptions(posting, "de" if language == "de" else "en") if written else ""
    position = _element(posting, text)
    return position + _element(posting, "") if posting.number % 33 == 0 else position


def _element(posting: Posting, descriptions: str) -> str:
    company, now = posting.company, posting.published.isoformat(timespec="seconds")
    offices = [city.english if posting.language == "en" else city.name for city in posting.cities]
    more = offices[1:] + (
        ["Homeoffice" if posting.language == "de" else "Remote"] if posting.remote == "remote" else []
    )
    schedule = "part-time" if posting.employment == "part_time" else "full-time"
    parts = (
        f"<id>{_BASE + posting.number}</id>",
        f"<subcompany>{escape(company.name)}</subcompany>" if company.quirk < 0.8 else "",
        f"<office>{escape(offices[0])}</office>",
        "<additionalOffices>" + "".join(f"<office>{escape(name)}</office>" for name in more) + "</additionalOffices>"
        if more
        else "",
        f"<department>{escape(posting.department)}</department>",
        f"<recruitingCategory>{escape(company.sector.title())}</recruitingCategory>" if company.quirk > 0.3 else "",
        f"<name>{escape(posting.title)}</name>",
        f"<jobDescriptions>{descriptions}</jobDescriptions>",
        f"<employmentType>{_EMPLOYMENT[posting.employment]}</employmentType>",
        f"<seniority>{'student' if posting.employment == 'internship' else 'experienced'}</seniority>",
        f"<schedule>{schedule}</schedule>",
        "<yearsOfExperience>2-5</yearsOfExperience>" if posting.occupation.levels else "",
        f"<occupation>{posting.occupation.name}</occupation>",
        f"<occupationCategory>{company.sector}</occupationCategory>",
        f"<createdAt>{now}</createdAt>",
        _salary(posting.pay) if posting.pay and posting.structured and company.quirk < 0.4 else "",
    )
    return "  <position>\n" + "".join(f"    {part}\n" for part in parts if part) + "  </position>\n"


def _descriptions(posting: Posting, language: Language) -> str:
    return "".join(
        f"<jobDescription><name>{escape(section.heading or _INTRO[language])}</name>"
        f"<value><![CDATA[ {markup(section, posting.company.style, heading=False)} ]]></value></jobDescription>"
        for section in posting.sections(language)
    )


def _salary(pay: Pay) -> str:
    kind = {"year": "yearly", "month": "monthly", "hour": "hourly"}[pay.period]
    upper = "" if pay.max is None else f"{pay.max:.2f}"
    symbol = "€" if pay.currency == "EUR" else "CHF"
    return (
        f"<salaryInformation><min>{pay.min:.2f}</min><max>{upper}</max><currencySymbol>{symbol}</currencySymbol>"
        f"<currencyCode>{pay.currency}</currencyCode><type>{kind}</type></salaryInformation>"
    )


SYSTEM = Personio()
