"""Which links of a company's site lead to its careers page: by what they say and where they go. Pure, any bytes."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from lib.errors import Malformed
from lib.posting.links import read_link, web_url
from lib.posting.trees import html_tree, text_of

MAX_LINKS = 3_000
_MAX_WORDS_CHARS = 80

# What people click on, German first. The surest words stand highest: a list of openings before a page about careers.
_WORDS = (
    (8, re.compile(r"stellenangebot|stellenanzeige|stellenmarkt|stellenbörse|offene stellen|offene jobs|jobbörse|"
                   r"jobangebot|stellenausschreib|"
                   r"jobportal|vakanzen|open positions|current openings|job openings|vacancies|offres d.emploi|"
                   r"postes (?:vacants|à pourvoir|ouverts)|places vacantes|posti (?:vacanti|liberi)|"
                   r"posizioni aperte|offerte di lavoro|opportunità di lavoro")),
    (6, re.compile(r"\bkarriere|\bcareers?\b|\bjobs?\b|\b(?:lehr|freie )?stellen\b|\bcarrière|"
                   r"\blavora(?:re)? (?:con noi|da)\b|"
                   r"\bcarriera|recrutement|nous rejoindre|rejoi(?:gnez|ndre)[ -](?:nous|notre)")),
    (4, re.compile(r"arbeiten (?:bei|mit|für)|mitarbeiten|work (?:with|for|at) us|join (?:us|our team)|bewerb|"
                   r"\bemplois?\b(?! du temps)|arbeitgeber|we.re hiring|wir suchen|mach mit|komm ins team|team werden|"
                   r"teil (?:unseres|des) teams|mitarbeiter(?:in)? werden|travailler (?:chez|avec)|\bimpiego\b")),
    (2, re.compile(r"ausbildung|bewirb|praktik|talent")),
)  # fmt: skip
_PATHS = (
    (5, re.compile(r"/(?:stellenangebote?|stellenanzeigen|offene-stellen|stellen(?:markt|boerse)?|jobboerse|vakanzen|"
                   r"vacancies|openings|open-positions|jobangebote)\b")),
    (4, re.compile(r"/(?:karriere|careers?|jobs?|arbeiten-bei[\w-]*|work-with-us|join-us|emplois?|offres?-d?-?emplois?|"
                   r"carrieres?|recrutement|nous-rejoindre|rejoignez-nous|lavora-con-noi|posizioni-aperte)\b|"
                   r"^//(?:jobs?|karriere|careers?|stellen)\.")),
    (1, re.compile(r"karriere|career|stellen|bewerb|\bjobs?\b")),
)  # fmt: skip
_NOT = re.compile(r"datenschutz|privacy|impressum|login|news|presse|blog|\.(?:pdf|docx?|jpe?g|png|zip)$|mailto:|tel:")
_TOLD = re.compile(r"/(?:news|presse|press|blog|magazine?|aktuelles|artikel|articles?|actualites|insights)\b")
_ENOUGH = 4


def careers_links(body: bytes | str, url: str, limit: int = 3) -> list[str]:
    """Up to `limit` addresses that may be the careers page, the likeliest first; without the page itself."""
    try:
        tree = html_tree(body)
    except Malformed:
        return []
    ranked: dict[str, int] = {}
    for number, element in enumerate(tree.iter("a", "area")):
        if number >= MAX_LINKS:
            break
        address = _absolute(element.get("href", ""), url)
        if address is None or address.rstrip("/") == url.rstrip("/"):
            continue
        words = f"{text_of(element) or ''} {element.get('title', '')} {element.get('aria-label', '')}"
        ranked[address] = max(ranked.get(address, 0), score(words, address))
    likely = sorted((item for item in ranked.items() if item[1] >= _ENOUGH), key=lambda item: (-item[1], len(item[0])))
    return [address for address, _ in likely[:limit]]


def score(words: str, address: str) -> int:
    """How much a link's words and address say of a careers page: 0 nothing, 13 all there is."""
    link = read_link(address)
    if link is None:
        return 0
    said = " ".join(words.lower().split())[:_MAX_WORDS_CHARS]
    where = f"//{link.host}/{'/'.join(link.segments)}".lower()[:300]
    if _NOT.search(where) and not _first(_PATHS[:2], where):
        return 0
    return _first(_WORDS, said) + _first(_PATHS, where)


def speaks_of_others(address: str) -> bool:
    """Whether a page is one of news or a blog, which link to whomever they write about."""
    link = read_link(address)
    return link is not None and _TOLD.search("/".join(("", *link.segments)).lower()) is not None


def _first(table: tuple[tuple[int, re.Pattern[str]], ...], text: str) -> int:
    return next((points for points, pattern in table if pattern.search(text)), 0)


def _absolute(href: str, url: str) -> str | None:
    try:
        return web_url(urljoin(url, href.strip().partition("#")[0]))
    except ValueError:
        return None
