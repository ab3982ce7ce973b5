"""Which place the words of a place field mean.

"DE - Frankfurt am Main", "80331 München", "Zürich (Hybrid)", "Remote - Germany": the words are cut into segments, each
segment is read as city, region and country, and the reading that fits the other segments best wins. Names that several
places share go by the country that is stated, then by population.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import msgspec

from lib.text.gazetteer import HOME_COUNTRIES, OWN, Gazetteer, Place, fold
from lib.text.placenames import NOISE

MAX_TEXTS = 20
MAX_CHARS = 200
_MAX_SEGMENTS = 12
_MAX_WORDS = 12

_STRONG = re.compile(r"[,;|\n\t•·>→]+|\s+[-–—:]+\s+")
_WEAK = re.compile(r"[/()\[\]{}]+")
_NOISE = re.compile(rf"(?<!\w)(?:{NOISE}|\d+ ?%)(?!\w)", re.IGNORECASE)
_POSTCODE = re.compile(r"(?<!\w)(?:(D|A|CH|DE|AT|FL)\s*-\s*)?(\d{4,5})(?!\w)")
_SHORT_COUNTRIES = frozenset({"usa", "uk", "u s", "u k", "uae"})
_CITY_ALONE = 300_000
_CITY_IN_WORDS = 20_000
_POSTCODE_COUNTRIES = {"D": "DE", "DE": "DE", "A": "AT", "AT": "AT", "CH": "CH", "FL": "LI"}


class PlaceMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A resolved place. `city` is its local name; country ISO alpha-2; `text` the input it was read from.

    Without a city, `lat` and `lon` are None too. `text` is None when only the hint is known.
    """

    country: str
    city: str | None = None
    region: str | None = None
    lat: float | None = None
    lon: float | None = None
    text: str | None = None


class _Segment(msgspec.Struct, gc=False):
    """What one run of words can mean; nothing at all when the words are unknown."""

    cities: tuple[tuple[Place, int], ...] = ()
    regions: tuple[tuple[str, str], ...] = ()
    countries: tuple[str, ...] = ()


def resolve(gazetteer: Gazetteer, place_texts: Sequence[str], country_hint: str | None) -> PlaceMatch | None:
    """The best reading of the first text that names a city, else a region, else a country; None when none does.

    `country_hint` (ISO alpha-2) decides between places of one name; words that name a country outrank it.
    """
    best: PlaceMatch | None = None
    for text in place_texts[:MAX_TEXTS]:
        match = _resolve_one(gazetteer, text[:MAX_CHARS], country_hint)
        if match is not None and (best is None or _depth(match) > _depth(best)):
            best = match
        if best is not None and best.city:
            return best
    return best or (PlaceMatch(country=country_hint) if country_hint else None)


def _depth(match: PlaceMatch) -> int:
    return 2 if match.city else 1 if match.region else 0


def _resolve_one(gazetteer: Gazetteer, text: str, hint: str | None) -> PlaceMatch | None:
    words = text
    postcode = _POSTCODE.search(text)
    if postcode is not None:
        hint = _POSTCODE_COUNTRIES.get(postcode[1] or "") or hint or ("DE" if len(postcode[2]) == 5 else None)
        words = text[: postcode.start()] + " " + text[postcode.end() :]
    segments = [reading for part in _segments(gazetteer, words) for reading in _read(gazetteer, part)]
    city = _best_city(segments, hint)
    if city is not None:
        region = gazetteer.region_name(city.country, city.region)
        return PlaceMatch(city=city.name, region=region, country=city.country, lat=city.lat, lon=city.lon, text=text)
    country, code = _best_region(segments, hint)
    if country is None:
        return None
    return PlaceMatch(country=country, region=gazetteer.region_name(country, code) if code else None, text=text)


def _segments(gazetteer: Gazetteer, text: str) -> Iterator[str]:
    """The parts of a place text; a part that is a name as a whole stays whole ("Frankfurt/Main")."""
    for part in _STRONG.split(text)[:_MAX_SEGMENTS]:
        if gazetteer.cities(fold(part)) or not _WEAK.search(part):
            yield part.strip()
        else:
            quiet = _NOISE.sub(" ", part)
            if gazetteer.cities(fold(quiet)):
                yield quiet.strip()
            else:
                yield from (piece.strip() for piece in _WEAK.split(part)[:_MAX_SEGMENTS])


def _read(gazetteer: Gazetteer, words: str) -> list[_Segment]:
    """What a part means as a whole; else what the longest known runs of its words mean, left to right."""
    if len(words) <= 3:
        return [_read_code(gazetteer, words)] if words else []
    whole = _read_name(gazetteer, fold(words))
    if whole is not None:
        return [whole]
    tokens = fold(_NOISE.sub(" ", words)).split()[:_MAX_WORDS]
    found: list[_Segment] = []
    start = 0
    while start < len(tokens):
        size, segment = _longest(gazetteer, tokens, start, capital_us="US" in words)
        if segment.cities or segment.regions or segment.countries or size == len(tokens) or not found:
            found.append(segment)
        start += size
    return found


def _longest(gazetteer: Gazetteer, tokens: list[str], start: int, *, capital_us: bool) -> tuple[int, _Segment]:
    """How many words from `start` on make the longest known name, and its reading; (1, nothing) without one."""
    for size in range(min(4, len(tokens) - start), 0, -1):
        key = " ".join(tokens[start : start + size])
        if len(key) > 3 or key in _SHORT_COUNTRIES or (key == "us" and capital_us):
            segment = _read_name(gazetteer, key)
            if segment is not None and (size == len(tokens) or _is_prominent(segment)):
                return size, segment
    return 1, _Segment()


def _is_prominent(segment: _Segment) -> bool:
    """Whether a name may be believed although it stands among words that mean nothing to us."""
    return bool(segment.countries or segment.regions) or segment.cities[0][0].population >= _CITY_IN_WORDS


def _read_code(gazetteer: Gazetteer, word: str) -> _Segment:
    """Two or three letters: codes of countries and regions when written in capitals, else a short name (Ulm, Zug)."""
    key = fold(word)
    named = gazetteer.cities(key)
    if not word.isupper():
        return _Segment(cities=named) if len(key) > 1 else _Segment()
    country = gazetteer.country(key) if len(key) > 1 else None
    nickname = named if len(key) > 1 and named and named[0][0].population >= _CITY_ALONE else ()
    return _Segment(cities=nickname, regions=gazetteer.regions(key), countries=(country,) if country else ())


def _read_name(gazetteer: Gazetteer, key: str) -> _Segment | None:
    country = gazetteer.country(key) if len(key) > 3 or key in _SHORT_COUNTRIES or key == "us" else None
    regions = gazetteer.regions(key) if len(key) > 2 else ()
    cities = gazetteer.cities(key)
    if country is not None:
        cities = tuple(
            pair for pair in cities if pair[0].country == country and pair[1] == OWN
        )  # Luxembourg, Singapore
    if not (cities or regions or country):
        return None
    return _Segment(cities=cities, regions=regions, countries=(country,) if country else ())


def _best_city(segments: list[_Segment], hint: str | None) -> Place | None:
    best: tuple[float, Place] | None = None
    for position, segment in enumerate(segments):
        others = _Evidence(segments[:position] + segments[position + 1 :], hint)
        for place, rank in segment.cities:
            score = others.fit(place, rank)
            if score is not None and (best is None or score - 6 * position > best[0]):
                best = (score - 6 * position, place)
    return None if best is None else best[1]


class _Evidence:
    """What the words around a name say about where it lies.

    A region that could as well be a city ("New York", "Hamburg") speaks for a place in it, never against others.
    """

    def __init__(self, segments: list[_Segment], hint: str | None) -> None:
        self._countries = {country for segment in segments for country in segment.countries}
        self._regions = {region for segment in segments for region in segment.regions}
        self._firm = {region[0] for segment in segments if not segment.cities for region in segment.regions}
        self._hint = hint

    def fit(self, place: Place, rank: int) -> float | None:
        """How well a place fits, None when it contradicts what is said."""
        score = 3 * math.log10(place.population + 1) - 3 * rank + (5 if place.country in HOME_COUNTRIES else 0)
        if (place.country, place.region) in self._regions:
            score += 150
        elif place.country in self._countries:
            score += 100
        elif self._countries or self._firm:
            return None
        if self._hint is not None and place.country not in self._countries:
            if place.country == self._hint:
                score += 60
            elif rank != OWN or place.population < _CITY_ALONE:
                return None
        return score


def _best_region(segments: list[_Segment], hint: str | None) -> tuple[str | None, str | None]:
    """(country, region code) without a city: a region of a stated country, a stated country, a lone region."""
    countries = [country for segment in segments for country in segment.countries]
    regions = [region for segment in segments for region in segment.regions]
    unknown_words = any(not (segment.cities or segment.regions or segment.countries) for segment in segments)
    if hint is None and unknown_words and len(countries) == 1 and countries[0] not in HOME_COUNTRIES:
        for country, code in regions:
            if country == "US":  # a town too small for us before a code: "Broomfield, CO" is not in Colombia
                return country, code
    for wanted in (*countries, hint):
        for country, code in regions:
            if country == wanted:
                return country, code
    if countries:
        return next((country for country in countries if country in HOME_COUNTRIES), countries[0]), None
    if hint is None and len({country for country, _ in regions}) == 1:
        return regions[0]
    return None, None
