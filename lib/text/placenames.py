"""Names of countries, regions and places that people write and that no gazetteer lists.

Region codes are those of geonames (admin1). Everything here is folded by `lib.text.gazetteer.fold` before use.
"""

from __future__ import annotations

# German names and common short forms -> ISO 3166 alpha-2; English names come from the gazetteer.
COUNTRIES = {
    "DE": "Deutschland|Germany|BRD|Bundesrepublik Deutschland|deutschlandweit|bundesweit|ganz Deutschland|Allemagne|"
    "Germania|Germany wide|nationwide Germany",
    "AT": "Österreich|Austria|Oesterreich|österreichweit|ganz Österreich|Autriche",
    "CH": "Schweiz|Switzerland|Suisse|Svizzera|schweizweit|ganze Schweiz|Swiss",
    "LI": "Liechtenstein|Fürstentum Liechtenstein",
    "LU": "Luxemburg|Luxembourg",
    "FR": "Frankreich|France",
    "IT": "Italien|Italia",
    "ES": "Spanien|España",
    "PT": "Portugal",
    "NL": "Niederlande|Holland|The Netherlands|Netherlands|Nederland",
    "BE": "Belgien|Belgique|België",
    "GB": "Großbritannien|UK|U.K.|Great Britain|England|Scotland|Wales|Northern Ireland|Vereinigtes Königreich",
    "IE": "Irland",
    "DK": "Dänemark|Danmark",
    "SE": "Schweden|Sverige",
    "NO": "Norwegen|Norge",
    "FI": "Finnland|Suomi",
    "IS": "Island",
    "PL": "Polen|Polska",
    "CZ": "Tschechien|Czech Republic|Czechia|Tschechische Republik",
    "SK": "Slowakei|Slovak Republic",
    "HU": "Ungarn",
    "SI": "Slowenien",
    "HR": "Kroatien",
    "RS": "Serbien",
    "BA": "Bosnien und Herzegowina|Bosnia",
    "MK": "Nordmazedonien",
    "ME": "Montenegro",
    "AL": "Albanien",
    "XK": "Kosovo",
    "RO": "Rumänien",
    "BG": "Bulgarien",
    "GR": "Griechenland",
    "CY": "Zypern",
    "MT": "Malta",
    "TR": "Türkei|Turkey|Türkiye",
    "UA": "Ukraine",
    "EE": "Estland",
    "LV": "Lettland",
    "LT": "Litauen",
    "RU": "Russland",
    "US": "USA|U.S.|U.S.A.|United States of America|Vereinigte Staaten|US Remote",
    "CA": "Kanada",
    "MX": "Mexiko",
    "BR": "Brasilien|Brasil",
    "AR": "Argentinien",
    "CL": "Chile",
    "CO": "Kolumbien",
    "IN": "Indien",
    "CN": "China",
    "JP": "Japan",
    "KR": "Südkorea|South Korea|Korea",
    "SG": "Singapur|Singapore",
    "ID": "Indonesien",
    "PH": "Philippinen",
    "AU": "Australien",
    "NZ": "Neuseeland",
    "ZA": "Südafrika",
    "EG": "Ägypten",
    "MA": "Marokko",
    "TN": "Tunesien",
    "IL": "Israel",
    "AE": "UAE|Vereinigte Arabische Emirate|U.A.E.",
    "SA": "Saudi-Arabien|KSA",
}

# country -> admin1 code -> the region's own name, then other names; two capitals are the usual abbreviation.
REGIONS = {
    "DE": {
        "01": "Baden-Württemberg|BW|BaWü",
        "02": "Bayern|BY|Bavaria|Freistaat Bayern",
        "03": "Bremen|HB",
        "04": "Hamburg|HH",
        "05": "Hessen|HE|Hesse",
        "06": "Niedersachsen|NI|Lower Saxony",
        "07": "Nordrhein-Westfalen|NW|NRW|North Rhine-Westphalia|Ruhrgebiet",
        "08": "Rheinland-Pfalz|RP|Rhineland-Palatinate",
        "09": "Saarland|SL",
        "10": "Schleswig-Holstein|SH",
        "11": "Brandenburg|BB",
        "12": "Mecklenburg-Vorpommern|MV|Mecklenburg-Western Pomerania",
        "13": "Sachsen|SN|Saxony|Freistaat Sachsen",
        "14": "Sachsen-Anhalt|ST|Saxony-Anhalt",
        "15": "Thüringen|TH|Thuringia|Freistaat Thüringen",
        "16": "Berlin|BE",
    },
    "AT": {
        "01": "Burgenland",
        "02": "Kärnten|Carinthia",
        "03": "Niederösterreich|NÖ|Lower Austria",
        "04": "Oberösterreich|OÖ|Upper Austria",
        "05": "Salzburg|Land Salzburg|Bundesland Salzburg",
        "06": "Steiermark|Styria",
        "07": "Tirol|Tyrol",
        "08": "Vorarlberg",
        "09": "Wien|Vienna",
    },
    "CH": {
        "AG": "Aargau|AG",
        "AR": "Appenzell Ausserrhoden|AR",
        "AI": "Appenzell Innerrhoden|AI",
        "BL": "Basel-Landschaft|BL|Baselland",
        "BS": "Basel-Stadt|BS",
        "BE": "Bern|BE",
        "FR": "Fribourg|FR|Freiburg",
        "GE": "Genève|GE|Genf|Geneva",
        "GL": "Glarus|GL",
        "GR": "Graubünden|GR|Grisons",
        "JU": "Jura|JU",
        "LU": "Luzern|LU|Lucerne",
        "NE": "Neuchâtel|NE|Neuenburg",
        "NW": "Nidwalden|NW",
        "OW": "Obwalden|OW",
        "SG": "St. Gallen|SG",
        "SH": "Schaffhausen|SH",
        "SZ": "Schwyz|SZ",
        "SO": "Solothurn|SO",
        "TG": "Thurgau|TG",
        "TI": "Ticino|TI|Tessin",
        "UR": "Uri|UR",
        "VS": "Valais|VS|Wallis",
        "VD": "Vaud|VD|Waadt",
        "ZG": "Zug|ZG",
        "ZH": "Zürich|ZH",
    },
}

# Regions that are one city: their districts are that city.
CITY_STATES = {("DE", "16"): "Berlin", ("DE", "04"): "Hamburg", ("AT", "09"): "Wien"}

# (country, the gazetteer's name) -> the name on the place's own signs.
LOCAL_NAMES = {
    ("AT", "Vienna"): "Wien",
    ("AT", "Sankt Pölten"): "St. Pölten",
    ("DE", "Munich"): "München",
    ("DE", "Nuremberg"): "Nürnberg",
    ("DE", "Freiburg"): "Freiburg im Breisgau",
    ("DE", "Offenbach"): "Offenbach am Main",
    ("DE", "Mülheim"): "Mülheim an der Ruhr",
    ("DE", "Esslingen"): "Esslingen am Neckar",
    ("CH", "Geneva"): "Genève",
    ("CH", "Sitten"): "Sion",
    ("CH", "Sankt Gallen"): "St. Gallen",
}

# (country, the gazetteer's name) -> names that are written at least as often, beyond its own alternate names.
NICKNAMES = {
    ("DE", "Frankfurt am Main"): "FFM|Frankfurt a M|Frankfurt Main|Frankfurt",
    ("DE", "Freiburg"): "Freiburg im Breisgau|Freiburg i Br|Freiburg Breisgau",
    ("DE", "Köln"): "Cologne",
    ("DE", "Hannover"): "Hanover",
    ("DE", "Braunschweig"): "Brunswick",
    ("DE", "Halle (Saale)"): "Halle",
    ("DE", "Mülheim"): "Mülheim an der Ruhr|Mülheim Ruhr",
    ("DE", "Offenbach"): "Offenbach am Main|Offenbach Main",
    ("DE", "Esslingen"): "Esslingen am Neckar",
    ("DE", "Wuppertal"): "Elberfeld|Barmen",
    ("CH", "Basel"): "Basel-Stadt|Basel Stadt|Basle|Bâle",
    ("CH", "Bern"): "Berne|Berna",
    ("CH", "Geneva"): "Genf|Genève|Ginevra",
    ("CH", "Sankt Gallen"): "St Gallen|St. Gallen|Saint Gall",
    ("CH", "Fribourg"): "Freiburg|Freiburg im Üechtland",
    ("CH", "Luzern"): "Lucerne",
    ("CH", "Biel/Bienne"): "Biel|Bienne",
    ("CH", "Sitten"): "Sion",
    ("CH", "Chur"): "Coire|Coira",
    ("CH", "Delémont"): "Delsberg",
    ("CH", "Bellinzona"): "Bellenz",
    ("IT", "Bolzano"): "Bozen",
    ("CH", "Neuchâtel"): "Neuenburg",
    ("AT", "Vienna"): "Wien|Stadt Wien",
    ("US", "New York City"): "New York|NYC|Manhattan",
    ("US", "San Francisco"): "SF|San Francisco Bay Area|Bay Area",
    ("US", "Los Angeles"): "LA",
    ("US", "Washington"): "Washington DC|Washington D.C.",
    ("IN", "Bengaluru"): "Bangalore",
}

# Words that stand in place fields and name no place.
NOISE = (
    "remote(?:ly)?|hybrid|home[ -]?office|mobile[sr]? arbeiten|on-?site|vor ort|in-?office|office|büro|offices|hq|"
    "head ?quarters?|hauptsitz|zentrale|standorte?|großraum|grossraum|raum|region|metropolregion|umgebung|umkreis|"
    "nähe|greater|area|metropolitan|metro|based|anywhere|flexible|flexibel|various|multiple|mehrere|diverse|"
    "locations?|first|only|from|within|and|und|or|oder|bei|near|around|kanton|canton|bundesland|state of|landkreis|"
    "kreis|stadt|city of|emea|apac|dach|europe|europa|eu|worldwide|weltweit|global|international|possible|möglich|"
    "all|alle|full|partial|teilweise|work"
)
