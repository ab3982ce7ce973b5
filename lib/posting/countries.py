"""Country names, in English and German, as boards write them in a country field.

The German-speaking countries with their usual spellings, and the others that postings for them name often.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"[A-Za-z]{2}", re.ASCII)
_NAMES = {
    "AT": "austria, österreich, oesterreich, aut",
    "AE": "united arab emirates, vereinigte arabische emirate",
    "AR": "argentina, argentinien",
    "AU": "australia, australien",
    "BE": "belgium, belgien",
    "BG": "bulgaria, bulgarien",
    "BR": "brazil, brasilien",
    "CA": "canada, kanada",
    "CH": "switzerland, schweiz, suisse, svizzera, che",
    "CN": "china",
    "CY": "cyprus, zypern",
    "CZ": "czech republic, czechia, tschechien",
    "DE": "germany, deutschland, deu, ger",
    "DK": "denmark, dänemark",
    "EE": "estonia, estland",
    "ES": "spain, spanien, españa",
    "FI": "finland, finnland",
    "FR": "france, frankreich, fra",
    "GB": "united kingdom, uk, great britain, england, scotland, wales, grossbritannien, vereinigtes königreich, gbr",
    "GR": "greece, griechenland",
    "HR": "croatia, kroatien",
    "HU": "hungary, ungarn",
    "IE": "ireland, irland",
    "IL": "israel",
    "IN": "india, indien",
    "IT": "italy, italien, italia",
    "JP": "japan",
    "LI": "liechtenstein",
    "LT": "lithuania, litauen",
    "LU": "luxembourg, luxemburg",
    "LV": "latvia, lettland",
    "MT": "malta",
    "MX": "mexico, mexiko",
    "NL": "netherlands, the netherlands, niederlande, nld",
    "NO": "norway, norwegen",
    "NZ": "new zealand, neuseeland",
    "PA": "panama",
    "PH": "philippines, philippinen",
    "PL": "poland, polen, polska",
    "PT": "portugal",
    "RO": "romania, rumänien",
    "RS": "serbia, serbien",
    "SE": "sweden, schweden",
    "SG": "singapore, singapur",
    "SI": "slovenia, slowenien",
    "SK": "slovakia, slowakei",
    "TR": "turkey, türkiye, türkei",
    "UA": "ukraine",
    "US": "united states, united states of america, usa, u.s., vereinigte staaten",
    "ZA": "south africa, südafrika",
}
_CODES = {name: code for code, names in _NAMES.items() for name in names.split(", ")}


def country_code(text: str | None) -> str | None:
    """ISO 3166 alpha-2 in upper case for a code or a name; None when it is neither.

    "UK" is a name here: its code is GB.
    """
    word = (text or "").strip()
    return _CODES.get(word.casefold()) or (word.upper() if _CODE.fullmatch(word) else None)
