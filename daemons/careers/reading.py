"""Reads fetched pages: their links, and the postings that they are. Pure, and made for a process of its own.

JSON-LD or microdata where a page has them; else the page's own words, if the classifier takes it for one job ad.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
from lxml import etree

from daemons.careers import ad
from daemons.careers.classifier import Features, Verdict, features, is_ended, is_shell, probability
from daemons.careers.outline import Outline, outline
from daemons.careers.site import Site, address, external_id, hints_at_job, is_aside, is_document
from daemons.careers.words import GENDERS
from lib.errors import Malformed
from lib.posting.contract import Posting, Record, clean_text
from lib.posting.jobposting import job_postings, read_job_posting
from lib.posting.links import web_url
from lib.posting.markup import paragraphs
from lib.posting.trees import decoded, html_tree, text_of
from lib.posting.values import line, moment, places

MAX_PAGE_BYTES = 3_000_000
MIN_PROBABILITY = 0.55
_MAX_POSTINGS = 1_000
_WORD = re.compile(r"\w{3,}")
_LEGAL_FORMS = frozenset(
    {"gmbh", "mbh", "kgaa", "ohg", "und", "and", "the", "der", "die", "das", "für", "inc", "ltd", "llc"}
)
_GERMAN = re.compile(r"/de(?:[-_][a-z]{2})?(?:/|$)|[?&]lang(?:uage)?=de|//de\.", re.IGNORECASE)
_ORGANISATION = re.compile(r"schema\.org/(?:\w*Organization|\w*Business|Corporation)")


class Fetched(msgspec.Struct, frozen=True):
    """A page as it came. `tenant`: the site that it is read for."""

    tenant: str
    url: str
    body: bytes


class Anchor(msgspec.Struct, frozen=True):
    """A link on the site: its canonical address and its words."""

    url: str
    text: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is and holds.

    `stands_for`: the page that is to be read instead of this one (rel=canonical, the German one of its languages).
    `place_hints`: towns, to be looked up, of a posting that names no
    place. `probability`: of being one job ad, None where its markup says what it is.
    """

    verdict: Verdict
    stands_for: str | None = None
    postings: tuple[Posting, ...] = ()
    place_hints: tuple[str, ...] = ()
    links: tuple[Anchor, ...] = ()
    probability: float | None = None
    reason: str = ""


def read_pages(data: bytes) -> list[Reading]:
    """The readings of several pages, which come as a MessagePack list of `Fetched`; a page that is none has its reason
    in an empty reading."""
    return [_read_or_say(page) for page in msgspec.msgpack.decode(data, type=list[Fetched])]


def _read_or_say(page: Fetched) -> Reading:
    try:
        return read_page(page)
    except Malformed as error:
        return Reading(verdict="other", reason=str(error)[:300])


def read_page(page: Fetched) -> Reading:
    """The reading of one page. Raises Malformed when it is no HTML, or longer than MAX_PAGE_BYTES."""
    if len(page.body) > MAX_PAGE_BYTES:
        raise Malformed(f"a page of {len(page.body)} bytes")
    site = Site.of(page.tenant)
    if site is None:
        raise Malformed(f"{page.tenant[:100]!r} is no site")
    text = decoded(page.body)
    tree = html_tree(text)
    return _Page(site, page.url, text, tree, outline(tree)).reading()


class _Page:
    """One page being read."""

    def __init__(self, site: Site, url: str, text: str, tree: etree._Element, seen: Outline) -> None:
        self._site = site
        self._url = url
        self._text = text
        self._tree = tree
        self._seen = seen
        self._base = address(seen.base, url) or url if seen.base else url
        self._links = tuple(self._anchors())
        primary = self._primary()
        self._elsewhere = primary if external_id(primary) != external_id(url) else None
        self._identity = primary if self._elsewhere is None else url

    def reading(self) -> Reading:
        if self._elsewhere is not None:
            return self._as("other", stands_for=self._elsewhere, reason=f"the same as {self._elsewhere}")
        nodes = job_postings(self._tree)
        if nodes:
            return self._structured(nodes)
        if is_shell(text=self._seen.text, scripts=self._seen.scripts, mounts=self._seen.mounts):
            return self._as("shell", reason="empty until a browser runs its scripts")
        return self._plain()

    def _as(self, verdict: Verdict, **more: Any) -> Reading:
        return Reading(verdict=verdict, **({"links": self._links} | more))

    def _structured(self, nodes: list[dict[str, Any]]) -> Reading:
        """Postings as the markup states them; several on one page that have pages of their own are read there."""
        nodes = [node for node in nodes if not self._is_of_others(node)]
        if not nodes:
            return self._as("other", reason="only postings of other companies, on their own sites")
        if len(nodes) == 1:
            if is_ended(None, self._seen.text):
                return self._as("ended", reason="the page says that the job is gone")
            posting = self._completed(_posting(nodes[0], external_id(self._identity), self._identity))
            if isinstance(posting, str):
                return self._as("other", reason=posting)
            return self._as("ad", postings=(posting,), place_hints=self._hints(posting))
        elsewhere = [own for node in nodes if (own := self._own_page(node)) is not None]
        links = (*self._links, *(Anchor(url, "job") for url in elsewhere))
        found: dict[str, Posting] = {}
        for node in nodes[:_MAX_POSTINGS]:
            if self._own_page(node) is None:
                posting = self._part(node)
                if isinstance(posting, Posting):
                    found.setdefault(posting.external_id, posting)
        return self._as("list", postings=tuple(found.values()), links=links)

    def _part(self, node: dict[str, Any]) -> Posting | str:
        """One of several postings that this page alone has: known by its own address or anchor, else by its title."""
        stated = node.get("url")
        own = web_url(urljoin(self._base, stated)) if isinstance(stated, str) and stated.strip() else None
        title = line(str(node.get("title") or node.get("name") or "")) or ""
        part = own if own is not None and external_id(own) != external_id(self._identity) else ""
        anchor = urlsplit(own).fragment if own else ""
        return _posting(node, external_id(self._identity, part or anchor or title), own or self._identity)

    def _is_of_others(self, node: dict[str, Any]) -> bool:
        """Whether a posting is another company's: it names one that this page does not, and lies on a foreign site."""
        stated = node.get("url")
        own = address(stated, self._base) if isinstance(stated, str) else None
        if own is None or self._site.has(own):
            return False
        named = node.get("hiringOrganization")
        name = named.get("name") if isinstance(named, dict) else named
        if not isinstance(name, str) or not name.strip():
            return False
        seen = self._seen
        here = f"{self._site.host} {seen.title} {seen.metas.get('og:site_name', '')} {' '.join(seen.around[-30:])}"
        words = [word for word in _WORD.findall(name.casefold()) if word not in _LEGAL_FORMS]
        return not any(word in here.casefold() for word in words)

    def _own_page(self, node: dict[str, Any]) -> str | None:
        """The address of the page of one of several postings, where that is another page of this site."""
        stated = node.get("url")
        own = address(stated, self._base) if isinstance(stated, str) else None
        if own is None or not self._site.has(own) or own in (self._url, self._identity):
            return None
        return own

    def _completed(self, posting: Posting | str) -> Posting | str:
        """What the markup leaves out, as the page's words state it."""
        if isinstance(posting, str):
            return posting
        thin = len(posting.html or "") < 200
        return msgspec.structs.replace(
            posting,
            html=self._main_html() if thin else posting.html,
            company=posting.company or self._company(),
            places=posting.places or places(ad.places_said(self._seen.lines)),
        )

    def _plain(self) -> Reading:
        title = self._title()
        text = self._seen.text
        if is_ended(title, text):
            return self._as("ended", reason="the page says that the job is gone")
        found = self._features(title)
        likely = probability(found)
        if title is None or likely < MIN_PROBABILITY:
            verdict: Verdict = "list" if found.many_jobs or (found.listing and self._job_links()) else "other"
            return self._as(verdict, probability=likely)
        posting = Posting(
            external_id=external_id(self._identity),
            title=clean_text(title),
            url=self._identity,
            apply_url=self._apply_url(),
            company=self._company(),
            places=places(ad.places_said(self._seen.lines)),
            posted_at=moment(self._seen.metas.get("article:published_time")),
            valid_through=ad.deadline_of(text),
            html=self._main_html(),
        )
        return self._as("ad", postings=(posting,), place_hints=self._hints(posting), probability=likely)

    def _features(self, title: str | None) -> Features:
        return features(
            url=self._identity,
            title=title,
            headings=self._seen.headings,
            text=self._seen.text,
            link_texts=[link.text for link in self._seen.links[:1_000]],
            job_links=self._job_links(),
            applications=len({one.href for one in self._seen.links if ad.is_application(one.text)}),
        )

    def _job_links(self) -> int:
        own = {self._url, self._identity}
        return len({one.url for one in self._links if one.url not in own and _is_job_link(one)})

    def _title(self) -> str | None:
        seen = self._seen
        candidates = [*seen.h1, seen.metas.get("og:title", ""), *seen.headings[:5], seen.title]
        return ad.title_of(candidates, seen.metas.get("og:site_name"))

    def _company(self) -> str | None:
        seen = self._seen
        named = [*_organisations(self._tree), *filter(None, [seen.metas.get("og:site_name")])]
        return ad.company_of(named, seen.title, seen.around, seen.text)

    def _hints(self, posting: Posting) -> tuple[str, ...]:
        return () if posting.places else ad.place_hints(posting.title, self._seen.lines)

    def _apply_url(self) -> str | None:
        for link in self._seen.links:
            if ad.is_application(link.text) and (url := web_url(address(link.href, self._base))):
                return url
        return None

    def _main_html(self) -> str:
        """The page's main part as markup: what trafilatura takes for it, else all of the page's own words."""
        import trafilatura  # heavy, and needed in the process that reads only, not in the daemon that names this module

        found = trafilatura.extract(
            self._text, output_format="html", include_comments=False, include_tables=True, favor_recall=True,
            include_formatting=True,
        )  # fmt: skip
        inside = (found or "").partition("<body>")[2].rpartition("</body>")[0].strip()
        # Of a page that is hard to tell apart it may leave most of an ad out.
        if len(inside) < len(self._seen.text) / 2:
            inside = paragraphs("\n\n".join(self._seen.lines))
        return clean_text(inside, len(inside))

    def _anchors(self) -> Iterator[Anchor]:
        taken: set[str] = set()
        for link in self._seen.links:
            url = address(link.href, self._base)
            if url is None or url in taken or not self._site.has(url) or is_aside(url):
                continue
            taken.add(url)
            yield Anchor(url, clean_text(link.text, 200))

    def _primary(self) -> str:
        """The address that stands for the page: its canonical one, of its languages' pages the German one."""
        stated = address(self._seen.canonical, self._base) if self._seen.canonical else None
        own = stated if stated and self._stands_for_page(stated) else self._url
        twins = {two for one in self._seen.twins if (two := address(one, self._base)) and self._site.has(two)}
        if len(twins) < 2 or own not in twins:
            return own
        return min(twins, key=lambda one: (not _GERMAN.search(one), len(one), one))

    def _stands_for_page(self, canonical: str) -> bool:
        """Whether a canonical address may be believed: some sites give that of their list on every page of a job."""
        slug, mine = (urlsplit(one).path.rstrip("/").rpartition("/")[2] for one in (canonical, self._url))
        if external_id(canonical) == external_id(self._site.start) or self._url.startswith(f"{canonical.rstrip('/')}/"):
            return external_id(canonical) == external_id(self._url)
        return self._site.has(canonical) and bool(slug) and (slug == mine or slug.count("-") >= min(2, mine.count("-")))


def _posting(node: dict[str, Any], own_id: str, url: str) -> Posting | str:
    """The posting in a node, or why it is none."""
    try:
        posting = read_job_posting(Record(node, Counter()), external_id=own_id, url=url)
    except Malformed as error:
        return f"JobPosting: {error}"
    return posting if posting.title.strip() else "JobPosting: no title"


def _organisations(tree: etree._Element) -> list[str]:
    """The site's owner as its own microdata names it."""
    found = (
        line(clean_text(text_of(element) or element.get("content") or ""))
        for element in tree.iter(etree.Element)
        if element.get("itemprop") in ("legalName", "name") and _is_of_organisation(element)
    )
    return [name for name in found if name]


def _is_of_organisation(element: etree._Element) -> bool:
    owner = next((up for up in element.iterancestors() if up.get("itemscope") is not None), None)
    return owner is not None and bool(_ORGANISATION.search(owner.get("itemtype") or ""))


def _is_job_link(anchor: Anchor) -> bool:
    if GENDERS.search(anchor.text):
        return True
    last = urlsplit(anchor.url).path.rstrip("/").rpartition("/")[2]
    return hints_at_job(anchor.url) and (last.count("-") >= 2 or is_document(anchor.url))
