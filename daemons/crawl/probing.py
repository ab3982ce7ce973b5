"""Asks the own pages of some postings that a doubtful list lacks: one that still shows its posting proves it wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from daemons.careers.classifier import is_ended
from daemons.companies.looking import page_request
from daemons.crawl.walk import Fetch
from lib.errors import Malformed, SourceError
from lib.net.messages import Response
from lib.posting.contract import DetailSource, Source
from lib.posting.trees import html_tree, text_of

SAMPLE = 5


@dataclass(frozen=True)
class Missing:
    """An open posting that its board's list lacks."""

    external_id: str
    title: str
    url: str


async def any_live(client: Fetch, source: Source, tenant: str, missing: Sequence[Missing], rng: random.Random) -> bool:
    """Whether one of up to SAMPLE postings is still shown on its own page. What cannot be had shows nothing."""
    for posting in rng.sample(missing, min(SAMPLE, len(missing))):
        try:
            if await _is_live(client, source, tenant, posting):
                return True
        except SourceError as error:
            structlog.get_logger("crawl").debug("not shown", url=posting.url, reason=str(error))
    return False


async def _is_live(client: Fetch, source: Source, tenant: str, posting: Missing) -> bool:
    if isinstance(source, DetailSource):
        request = source.detail_request(tenant, posting.external_id, posting.url)
        response = await client.send(request.on_behalf_of(source.name))
        return source.parse_detail(tenant, response).external_id == posting.external_id
    return shows(await client.send(page_request(posting.url).on_behalf_of(source.name)), posting.title)


def shows(page: Response, title: str) -> bool:
    """Whether a page shows the posting with this title, and does not say that it has ended."""
    try:
        text = text_of(html_tree(page.body)) or ""
    except Malformed:
        return False
    return " ".join(title.casefold().split()) in text.casefold() and not is_ended(title, text)
