"""Where a person lives or wants to work, as a profile or the head of a résumé says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lib.people.reading import Place
from lib.text.gazetteer import FORM, HOME_COUNTRIES, OWN, Gazetteer, fold
from lib.text.gazetteer import Place as PlaceOnMap
from lib.text.places import PlaceMatch, resolve

_HEAD_LINES = 25
_LINE_CHARS = 200
_MOST = 5
# Inhabitants of a city that a name without a postcode or a label is believed to mean, here and elsewhere.
_SMALLEST, _SMALLEST_SHORTENED, _SMALLEST_ABROAD = 5_000, 20_000, 500_000
_NAME = r"([A-ZÄÖÜ][\w.ß-]*(?:(?: (?:am|an der|im|in der|ob der|bei))? [A-ZÄÖÜ][\w.ß-]*){0,2})"
_ADDRESS = re.compile(rf"(?<![\w-])((?:(?:DE?|A|AT|CH)-)?\d{{4,5}} +){_NAME}")
_LABEL = re.compile(
    r"(?i)(?<!\w)(?:wohnort|wohnhaft in|wohne in|lebe in|standort|einsatzort|wunschort|arbeitsort|ort|location|"
    r"based in|living in|live in|located in|residence|city|region|raum|umgebung|großraum|rund um|near|around|nähe)"
    rf"\s*:?\s+(?-i:{_NAME})"
)
_IN = re.compile(rf"(?<!\w)(?:in|In|aus|from|bei|nach|to){' '}(?:der |the )?{_NAME}")
_APART = re.compile(r"\s*[,;|/•·\t()]\s*|\s+[-–]\s+|(?<!St)\.(?:\s+|$)|\s+(?:oder|or|und|and)\s+")


def find_places(text: str, gazetteer: Gazetteer) -> list[Place]:
    """Up to five cities, those of German-speaking countries first, and of these the surest: by address, by label, by
    "in", alone in the first lines. Total."""
    lines = [line[:_LINE_CHARS] for line in text.split("\n", _HEAD_LINES)[:_HEAD_LINES]]
    found: dict[str, Place] = {}
    for match in _read(lines, gazetteer):
        if match.city is not None:
            found.setdefault(match.city, Place(name=match.city, region=match.region, country=match.country))
    return sorted(found.values(), key=lambda place: place.country not in HOME_COUNTRIES)[:_MOST]


def _read(lines: Iterable[str], gazetteer: Gazetteer) -> Iterator[PlaceMatch]:
    lines = list(lines)
    for line in lines:
        for address in _ADDRESS.finditer(line):
            yield from _meant(gazetteer, address[0])
    for line in lines:
        for label in _LABEL.finditer(line):
            yield from _meant(gazetteer, label[1])
    for line in lines:
        for name in (stated[1] for stated in _IN.finditer(line)):
            if _is_large(gazetteer, name) or _is_large(gazetteer, name.split()[0]):
                yield from _meant(gazetteer, name if _is_large(gazetteer, name) else name.split()[0])
    for line in lines:
        for part in _APART.split(line):
            if _is_large(gazetteer, part):
                yield from _meant(gazetteer, part)


def _meant(gazetteer: Gazetteer, words: str) -> Iterator[PlaceMatch]:
    match = resolve(gazetteer, [words], None)
    if match is not None:
        yield match


def _is_large(gazetteer: Gazetteer, name: str) -> bool:
    if not 2 < len(name) <= 60 or not name[0].isupper():
        return False
    return any(
        place.population >= _smallest(place, rank) for place, rank in gazetteer.cities(fold(name)) if rank <= FORM
    )


def _smallest(place: PlaceOnMap, rank: int) -> int:
    if place.country not in HOME_COUNTRIES:
        return _SMALLEST_ABROAD
    return _SMALLEST if rank == OWN else _SMALLEST_SHORTENED
