"""Whether two postings of one site are one ad under two addresses: a print view, a session in the path, a PDF beside
its page. Pure, and strict: branches of one chain have ads that differ in a street only.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from daemons.careers.site import is_document
from daemons.careers.words import GENDERS

BEGINNING = 12  # characters that the titles of one ad have in common: documents leave "(m/w/d)" or the place out
_TAG = re.compile(r"<[^<>]{0,2000}>")
_WORD = re.compile(r"\w+")
_LEAST_WORDS = 30
_SHARED = 0.8  # of a document's words, as it is typeset in another way


@dataclass(frozen=True)
class Ad:
    """What tells ads apart. `places` as stated, the main one first."""

    external_id: str
    url: str
    title: str
    places: tuple[str, ...]
    html: str | None

    @cached_property
    def words(self) -> Counter[str]:
        """The words of the text and how often each is there."""
        return Counter(_WORD.findall(_TAG.sub(" ", self.html or "").casefold()))


def same(one: Ad, other: Ad) -> bool:
    """Whether both are one ad: the same title, no other place, and the same words; most of them where just one is a
    document."""
    titles = sorted((_plain_title(one.title), _plain_title(other.title)), key=len)
    if not titles[0] or not titles[1].startswith(titles[0]):
        return False
    fewer, more = sorted((one.words.total(), other.words.total()))
    if fewer < _LEAST_WORDS:
        return False
    if is_document(one.url) == is_document(other.url):
        return titles[0] == titles[1] and _may_be_one_place(one.places, other.places) and one.words == other.words
    page, document = (other, one) if is_document(one.url) else (one, other)
    alike = (one.words & other.words).total() >= _SHARED * fewer and fewer >= more / 2
    return alike and (_may_be_one_place(one.places, other.places) or _names(document, page.places))


def _names(document: Ad, places: tuple[str, ...]) -> bool:
    """Whether the text of a document has the main place's name as the page spells it: "Genf" where we read "Genève"."""
    words = _plain(places[0].partition(",")[0]).split()
    return bool(words) and all(word in document.words for word in words)


def rank(ad: Ad) -> tuple[bool, int, str]:
    """Which of several addresses an ad is known by, the least: a page rather than a document, then the shortest."""
    return is_document(ad.url), len(ad.url), ad.url


def doubles(ads: Iterable[Ad]) -> list[str]:
    """Those of open postings that others stand for."""
    kept: defaultdict[str, list[Ad]] = defaultdict(list)
    found = []
    for ad in sorted(ads, key=rank):
        alike = kept[_plain_title(ad.title)[:BEGINNING]]
        if any(same(ad, other) for other in alike):
            found.append(ad.external_id)
        else:
            alike.append(ad)
    return found


def _plain_title(title: str) -> str:
    return _plain(GENDERS.sub(" ", title))


def _plain(title: str) -> str:
    return " ".join(_WORD.findall(title.casefold()))


def _may_be_one_place(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether one names no place, or none that the other does not name: a document often has the main one only."""
    few, many = sorted(({_plain(one.partition(",")[0]) for one in places} for places in (some, others)), key=len)
    return few <= many
