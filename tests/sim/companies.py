"""Fictitious employers: a believable name, a seat, a trade, and the way they write their adverts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.sim.occupations import SECTORS
from tests.sim.places import City, some_city

_HEADS = [
    "Quell",
    "Morv",
    "Tessel",
    "Olbrig",
    "Varn",
    "Kelder",
    "Brunn",
    "Zirm",
    "Halder",
    "Wirs",
    "Linden",
    "Falken",
    "Sturm",
    "Eschen",
    "Rauh",
    "Silber",
    "Birken",
    "Distel",
    "Grau",
    "Hasel",
    "Kiesel",
    "Moor",
    "Nebel",
    "Otter",
    "Reiher",
    "Schlehen",
    "Tannen",
    "Ulmen",
    "Weiden",
    "Zeisig",
]
_TAILS = [
    "hagen",
    "brück",
    "holt",
    "matt",
    "rieder",
    "tal",
    "werth",
    "stedt",
    "egg",
    "feld",
    "horn",
    "lohe",
    "mark",
    "born",
    "wald",
    "scheid",
    "furt",
    "acker",
    "stätt",
    "au",
]
_TRADES: dict[str, tuple[str, ...]] = {
    "care": ("Kliniken", "Pflegedienste", "Gesundheitszentrum", "Care", "Seniorenhaus"),
    "education": ("Bildungswerk", "Akademie", "Schulen", "Lernhaus"),
    "industry": ("Maschinenbau", "Metallwerke", "Antriebstechnik", "Chemie", "Systems"),
    "building": ("Bau", "Haustechnik", "Hochbau", "Gebäudetechnik"),
    "logistics": ("Logistik", "Spedition", "Transporte", "Freight"),
    "hospitality": ("Hotels", "Gasthaus", "Resorts", "Catering"),
    "trade": ("Handel", "Märkte", "Versand", "Retail"),
    "software": ("Software", "Digital", "Labs", "Analytics", "Cloud"),
}
_PRODUCTS: dict[str, dict[str, tuple[str, ...]]] = {
    "care": {
        "de": (
            "eine Pflege, die Zeit lässt",
            "moderne Medizin mit Nähe zum Menschen",
            "Betreuung in vertrauter Umgebung",
        ),
        "en": ("care that takes its time", "modern medicine close to people", "support in familiar surroundings"),
    },
    "education": {
        "de": ("Lernen in kleinen Gruppen", "Bildungsangebote vom Kindergarten bis zum Beruf"),
        "en": ("learning in small groups", "education from kindergarten to career"),
    },
    "industry": {
        "de": ("Sondermaschinen und Antriebe", "Bauteile für die Bahn und den Maschinenbau", "Spezialwerkstoffe"),
        "en": ("special machines and drives", "components for rail and machinery", "special materials"),
    },
    "building": {
        "de": ("Wohnungsbau und Sanierung", "Gebäudetechnik aus einer Hand", "Brücken, Schulen und Kläranlagen"),
        "en": ("housing and renovation", "building services from one source", "bridges, schools and water works"),
    },
    "logistics": {
        "de": ("Transport und Lagerung von Lebensmitteln", "taggenaue Lieferungen in ganz Mitteleuropa"),
        "en": ("transport and storage of food", "deliveries to the day across central Europe"),
    },
    "hospitality": {
        "de": ("Gastlichkeit mit regionaler Küche", "Häuser am Wasser und in den Bergen"),
        "en": ("hospitality with regional cooking", "houses by the water and in the mountains"),
    },
    "trade": {
        "de": ("Waren des täglichen Bedarfs", "Werkzeug und Gartenbedarf", "Mode und Wohnaccessoires"),
        "en": ("everyday goods", "tools and garden supplies", "fashion and home accessories"),
    },
    "software": {
        "de": ("Software für Praxen und Kliniken", "Planungswerkzeuge für die Energiewende", "Lösungen für den Handel"),
        "en": ("software for clinics", "planning tools for the energy transition", "solutions for retailers"),
    },
}
_FORMS = {
    "DE": ("GmbH", "GmbH", "GmbH", "AG", "GmbH & Co. KG", "gGmbH", "SE"),
    "AT": ("GmbH", "GmbH", "AG", "KG"),
    "CH": ("AG", "AG", "GmbH"),
}
_FIRST = [
    "Anna",
    "Jonas",
    "Leyla",
    "Markus",
    "Petra",
    "Nina",
    "Tobias",
    "Svenja",
    "Emre",
    "Claudia",
    "Stefan",
    "Irina",
    "Lukas",
    "Barbara",
    "Matteo",
    "Ursula",
    "Paul",
    "Derya",
    "Simone",
    "Georg",
]
_LAST = [
    "Ahlers",
    "Brandtner",
    "Cakir",
    "Dornbach",
    "Eggimann",
    "Fürst",
    "Gruberova",
    "Hollerith",
    "Imhofer",
    "Janssen",
    "Kofler",
    "Lindqvist",
    "Moosmann",
    "Nägeli",
    "Oberhuber",
    "Petrović",
    "Rautenberg",
    "Schöll",
    "Tannhuber",
    "Wyss",
]
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e"})


@dataclass(frozen=True)
class Company:
    """An employer. `words`: its name cut into plain ASCII words without the legal form; `style`: which markup."""

    index: int
    name: str
    words: tuple[str, ...]
    sector: str
    country: str
    seat: City
    founded: int
    staff: int
    style: int
    quirk: float

    @property
    def domain(self) -> str:
        """A domain that can never exist (RFC 2606)."""
        return "-".join(self.words).lower() + ".example"

    def product(self, language: str, rng: Random) -> str:
        """What it does, in words."""
        return rng.choice(_PRODUCTS[self.sector][language])


def person(rng: Random) -> str:
    """An invented name."""
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def found_companies(count: int, rng: Random) -> Iterator[Company]:
    """`count` employers with different names."""
    taken: set[str] = set()
    for index in range(count):
        sector = SECTORS[index % len(SECTORS)] if index < len(SECTORS) else rng.choice(SECTORS)
        country = rng.choices(("DE", "AT", "CH"), (70, 15, 15))[0]
        stem, trade = rng.choice(_HEADS) + rng.choice(_TAILS), rng.choice(_TRADES[sector])
        while f"{stem} {trade}" in taken:
            stem = rng.choice(_HEADS) + rng.choice(_TAILS) + rng.choice(("", "er", "isch", "ova", "ium"))
            if len(taken) > 500:
                stem = f"{stem} {rng.choice(_HEADS)}"
        taken.add(f"{stem} {trade}")
        yield Company(
            index=index,
            name=f"{stem} {trade} {rng.choice(_FORMS[country])}",
            words=tuple(re.findall(r"[A-Za-z]+", f"{stem} {trade}".translate(_FOLD))),
            sector=sector,
            country=country,
            seat=some_city(country, rng),
            founded=rng.randint(1898, 2021),
            staff=rng.choice((35, 60, 90, 140, 220, 400, 650, 1_200, 2_600, 5_000)),
            style=rng.randrange(5),
            quirk=rng.random(),
        )
