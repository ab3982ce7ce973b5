"""The 25 regions in which the map of Germany, Austria and Switzerland is searched, one daemon instance each.

They are those of official statistics (NUTS): Germany's 16 states, Austria's three groups of states, and Switzerland's
seven greater regions, of which Ticino goes with Central Switzerland, and Liechtenstein with Eastern Switzerland.
Requests to the map are shared by all, one at a time, so that an instance for 18 million people takes longer than one
for a million, but asks no more often. Codes are those of geonames (admin1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib.text.gazetteer import Place


@dataclass(frozen=True)
class Region:
    """`states`: (country, admin1 code) pairs; a code "*" stands for the whole country."""

    name: str
    states: frozenset[tuple[str, str]]


def _region(name: str, **codes: str) -> Region:
    states = frozenset((country, code) for country, listed in codes.items() for code in listed.split())
    return Region(name, states)


REGIONS = (
    _region("Baden-Württemberg", DE="01"),
    _region("Bayern", DE="02"),
    _region("Berlin", DE="16"),
    _region("Brandenburg", DE="11"),
    _region("Bremen", DE="03"),
    _region("Hamburg", DE="04"),
    _region("Hessen", DE="05"),
    _region("Mecklenburg-Vorpommern", DE="12"),
    _region("Niedersachsen", DE="06"),
    _region("Nordrhein-Westfalen", DE="07"),
    _region("Rheinland-Pfalz", DE="08"),
    _region("Saarland", DE="09"),
    _region("Sachsen", DE="13"),
    _region("Sachsen-Anhalt", DE="14"),
    _region("Schleswig-Holstein", DE="10"),
    _region("Thüringen", DE="15"),
    _region("Ostösterreich", AT="01 03 09"),
    _region("Südösterreich", AT="02 06"),
    _region("Westösterreich", AT="04 05 07 08"),
    _region("Genferseeregion", CH="GE VD VS"),
    _region("Espace Mittelland", CH="BE FR JU NE SO"),
    _region("Nordwestschweiz", CH="AG BL BS"),
    _region("Zürich", CH="ZH"),
    _region("Ostschweiz und Liechtenstein", CH="AI AR GL GR SG SH TG", LI="*"),
    _region("Zentralschweiz und Tessin", CH="LU NW OW SZ TI UR ZG"),
)
_BY_STATE: Mapping[tuple[str, str], int] = {
    state: number for number, region in enumerate(REGIONS) for state in region.states
}


def region_of(place: Place) -> int | None:
    """The number of the region that a place is in, None abroad and where its state is not known."""
    return _BY_STATE.get((place.country, place.region), _BY_STATE.get((place.country, "*")))
