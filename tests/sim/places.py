"""Cities of Germany, Austria and Switzerland, as postings write them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random


@dataclass(frozen=True)
class City:
    """`postal`: a postal code of the city. `english`: the name that English texts use. `weight`: rough size."""

    name: str
    country: str
    region: str
    region_code: str
    postal: str
    dial: str
    latitude: float
    longitude: float
    english: str
    weight: int


_TABLE = """
Berlin|DE|Berlin|BE|10115|30|52.520|13.405||36
Hamburg|DE|Hamburg|HH|20095|40|53.551|9.994||19
München|DE|Bayern|BY|80331|89|48.137|11.575|Munich|15
Köln|DE|Nordrhein-Westfalen|NW|50667|221|50.938|6.960|Cologne|11
Frankfurt am Main|DE|Hessen|HE|60311|69|50.110|8.682|Frankfurt|8
Stuttgart|DE|Baden-Württemberg|BW|70173|711|48.776|9.183||6
Düsseldorf|DE|Nordrhein-Westfalen|NW|40213|211|51.227|6.773|Dusseldorf|6
Leipzig|DE|Sachsen|SN|04109|341|51.340|12.373||6
Dortmund|DE|Nordrhein-Westfalen|NW|44135|231|51.514|7.465||6
Bremen|DE|Bremen|HB|28195|421|53.079|8.802||5
Dresden|DE|Sachsen|SN|01067|351|51.050|13.737||5
Hannover|DE|Niedersachsen|NI|30159|511|52.376|9.732|Hanover|5
Nürnberg|DE|Bayern|BY|90402|911|49.452|11.077|Nuremberg|5
Bielefeld|DE|Nordrhein-Westfalen|NW|33602|521|52.021|8.532||3
Mannheim|DE|Baden-Württemberg|BW|68159|621|49.487|8.466||3
Karlsruhe|DE|Baden-Württemberg|BW|76131|721|49.007|8.404||3
Augsburg|DE|Bayern|BY|86150|821|48.371|10.898||3
Münster|DE|Nordrhein-Westfalen|NW|48143|251|51.961|7.626|Munster|3
Freiburg im Breisgau|DE|Baden-Württemberg|BW|79098|761|47.999|7.842|Freiburg|2
Regensburg|DE|Bayern|BY|93047|941|49.014|12.102||2
Würzburg|DE|Bayern|BY|97070|931|49.791|9.953||2
Ulm|DE|Baden-Württemberg|BW|89073|731|48.401|9.988||2
Kassel|DE|Hessen|HE|34117|561|51.313|9.480||2
Rostock|DE|Mecklenburg-Vorpommern|MV|18055|381|54.092|12.099||2
Kiel|DE|Schleswig-Holstein|SH|24103|431|54.323|10.123||2
Erfurt|DE|Thüringen|TH|99084|361|50.978|11.029||2
Magdeburg|DE|Sachsen-Anhalt|ST|39104|391|52.121|11.628||2
Saarbrücken|DE|Saarland|SL|66111|681|49.234|6.997||2
Mainz|DE|Rheinland-Pfalz|RP|55116|6131|49.993|8.247||2
Potsdam|DE|Brandenburg|BB|14467|331|52.391|13.065||2
Passau|DE|Bayern|BY|94032|851|48.567|13.432||1
Görlitz|DE|Sachsen|SN|02826|3581|51.153|14.988||1
Wien|AT|Wien|9|1010|1|48.208|16.374|Vienna|19
Graz|AT|Steiermark|6|8010|316|47.071|15.439||4
Linz|AT|Oberösterreich|4|4020|732|48.306|14.286||4
Salzburg|AT|Salzburg|5|5020|662|47.810|13.055||3
Innsbruck|AT|Tirol|7|6020|512|47.269|11.404||3
Klagenfurt am Wörthersee|AT|Kärnten|2|9020|463|46.624|14.308|Klagenfurt|2
Wels|AT|Oberösterreich|4|4600|7242|48.157|14.025||1
St. Pölten|AT|Niederösterreich|3|3100|2742|48.204|15.626||1
Dornbirn|AT|Vorarlberg|8|6850|5572|47.413|9.742||1
Zürich|CH|Zürich|ZH|8001|44|47.377|8.542|Zurich|12
Basel|CH|Basel-Stadt|BS|4051|61|47.560|7.589||5
Bern|CH|Bern|BE|3011|31|46.948|7.447||5
Genf|CH|Genf|GE|1201|22|46.204|6.143|Geneva|4
Luzern|CH|Luzern|LU|6003|41|47.050|8.309|Lucerne|3
St. Gallen|CH|St. Gallen|SG|9000|71|47.424|9.377||2
Winterthur|CH|Zürich|ZH|8400|52|47.499|8.724||2
Lausanne|CH|Waadt|VD|1003|21|46.520|6.633||2
Zug|CH|Zug|ZG|6300|41|47.166|8.516||2
Chur|CH|Graubünden|GR|7000|81|46.851|9.532||1
"""
COUNTRY_NAMES = {
    "DE": {"de": "Deutschland", "en": "Germany"},
    "AT": {"de": "Österreich", "en": "Austria"},
    "CH": {"de": "Schweiz", "en": "Switzerland"},
}
DIAL_CODES = {"DE": "49", "AT": "43", "CH": "41"}
_STREETS = (
    "Bahnhofstraße",
    "Hauptstraße",
    "Gartenstraße",
    "Industriestraße",
    "Lindenallee",
    "Am Mühlbach",
    "Schulgasse",
    "Kirchplatz",
    "Ringstraße",
    "Werkstraße",
    "Ahornweg",
    "Schillerstraße",
    "An der Eiche",
    "Marktplatz",
    "Uferweg",
)


def _read(line: str) -> City:
    name, country, region, code, postal, dial, latitude, longitude, english, weight = line.split("|")
    return City(
        name, country, region, code, postal, dial, float(latitude), float(longitude), english or name, int(weight)
    )


CITIES: tuple[City, ...] = tuple(_read(line) for line in _TABLE.strip().splitlines())


@cache
def of_country(country: str) -> tuple[tuple[City, ...], tuple[int, ...]]:
    """The cities of an ISO 3166 country and their weights."""
    cities = tuple(city for city in CITIES if city.country == country)
    return cities, tuple(city.weight for city in cities)


def some_city(country: str, rng: Random) -> City:
    """A city of `country`, large ones more often."""
    cities, weights = of_country(country)
    return rng.choices(cities, weights)[0]


def street(city: City, rng: Random) -> str:
    """An invented street and number; Swiss ones are spelled with ss."""
    name = rng.choice(_STREETS)
    if city.country == "CH":
        name = name.replace("ß", "ss")
    return f"{name} {rng.randint(1, 140)}"


def phone(city: City, rng: Random) -> str:
    """An invented phone number in one of the usual spellings."""
    line = f"5550 {rng.randint(100, 999)}"
    code = DIAL_CODES[city.country]
    return rng.choice((f"+{code} {city.dial} {line}", f"0{city.dial} / {line}", f"+{code} (0) {city.dial} {line}"))
