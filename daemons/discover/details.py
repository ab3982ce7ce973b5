"""A posting in full, as HasData gives it: the provider's own detail, or the scraped page where that has no text.

Source   /scrape/indeed/job, /scrape/glassdoor/job, /scrape/web; facts: HasData's own samples, read 2026-11
Shape    Indeed's is the answer itself, Glassdoor's is under `job`; `descriptionHtml`, beside it plain `description`.
         A scraped page is its HTML, or that inside a JSON object
Errors   Glassdoor says `expired`; a page's own 404 comes as `statusCode` of a good answer
"""

from __future__ import annotations

from typing import Any

from lxml.html import HtmlElement

from daemons.discover.listings import glassdoor_salary, indeed_salary, workplace
from daemons.discover.query import Provider
from lib.errors import Gone, Malformed
from lib.net.messages import Response
from lib.posting.contract import Posting, Record, read_one
from lib.posting.countries import country_code
from lib.posting.jobposting import job_postings, read_job_posting
from lib.posting.markup import paragraphs
from lib.posting.trees import html_tree, inner_html
from lib.posting.values import line, moment, places

_MIN_LETTERS = 80  # less is no description but a notice that there is none
_GONE = (404, 410)
_BODIES = ("content", "html", "text")
_TEXT_PLACES = (
    '//*[@id="jobDescriptionText"]',
    '//*[starts-with(@class, "JobDetails_jobDescription")]',
    '//*[@itemprop="description"]',
)


def read_detail(provider: Provider, response: Response, listed: Posting) -> Posting:
    """The posting in full, known from its list as `listed`. Raises Malformed where there is no text, Gone."""
    body = response.json_object()
    job = body.get("job") if isinstance(body.get("job"), dict) else body
    detail = read_one(job, lambda item: _indeed(item, listed) if provider == "indeed" else _glassdoor(item, listed))
    return _with_text(detail)


def read_page_of(response: Response, listed: Posting) -> Posting:
    """The posting on a scraped page. Raises Malformed where the page shows none, Gone."""
    tree = html_tree(_markup(response))
    nodes = job_postings(tree)
    if nodes:
        return _with_text(
            read_one(nodes[0], lambda item: read_job_posting(item, external_id=listed.external_id, url=listed.url))
        )
    return _with_text(Posting(external_id=listed.external_id, title=listed.title, url=listed.url, html=_shown(tree)))


def _indeed(job: Record, listed: Posting) -> Posting:
    details = job.sub("details")
    kinds = [] if details is None else details.strings("jobType")
    settings = [] if details is None else details.strings("workSetting")
    place = line(job.get("location", str))
    return Posting(
        external_id=listed.external_id,
        title=line(job.get("title", str)) or listed.title,
        url=listed.url,
        places=places([place]),
        remote=workplace(settings, place),
        employment_type=", ".join(dict.fromkeys(kinds)) or None,
        salary=indeed_salary(job.take("salary")),
        html=_description(job),
    )


def _glassdoor(job: Record, listed: Posting) -> Posting:
    if job.get("expired", bool):
        raise Gone("the posting has expired", 410)
    address = job.sub("address")
    city = None if address is None else line(address.get("city", str))
    country = None if address is None else country_code(address.get("country", str))
    return Posting(
        external_id=listed.external_id,
        title=line(job.get("title", str)) or listed.title,
        url=listed.url,
        places=places([city]),
        country=country,
        posted_at=moment(job.get("datePosted", str)),
        salary=glassdoor_salary(job.take("salary")),
        html=_description(job),
    )


def _description(job: Record) -> str | None:
    plain = job.html("description")
    return job.html("descriptionHtml") or (paragraphs(plain) if plain else None)


def _with_text(detail: Posting) -> Posting:
    if sum(map(str.isalpha, detail.html or "")) < _MIN_LETTERS:
        raise Malformed("the detail has no text")
    return detail


def _markup(response: Response) -> bytes | str:
    """The page itself, out of the object that it may come in."""
    if not response.body.lstrip().startswith(b"{"):
        return response.body
    body: dict[str, Any] = response.json_object()
    status = body.get("statusCode")
    if status in _GONE:
        raise Gone("the page is gone", status)
    for name in _BODIES:
        if isinstance(text := body.get(name), str) and text.strip():
            return text
    raise Malformed("the answer has no page")


def _shown(tree: HtmlElement) -> str | None:
    for place in _TEXT_PLACES:
        for element in tree.xpath(place):
            if html := inner_html(element):
                return html
    return None
