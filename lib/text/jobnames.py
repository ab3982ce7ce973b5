"""What a title says about the job alone: abbreviations spelt out, the contract's conditions left out.

Advertisements add hours, starts, pay and places of work to the job's name, and shorten it. Vectors and words are
compared without. What is shown to people is the title as it stands, or `clean_title`.
"""

from __future__ import annotations

import re

from lib.text.titles import clean_title

# Those that end in a full stop are known in any case, the others as they stand here.
ABBREVIATIONS = {
    "Sachb.": "Sachbearbeiter",
    "Mitarb.": "Mitarbeiter",
    "MA": "Mitarbeiter",
    "Ing.": "Ingenieur",
    "Dipl.-Ing.": "Ingenieur",
    "Dipl.-Kfm.": "Kaufmann",
    "Kfm.": "kaufmännischer",
    "Techn.": "technischer",
    "Med.": "medizinischer",
    "Wiss.": "wissenschaftlicher",
    "Stv.": "stellvertretender",
    "Stellv.": "stellvertretender",
    "Ltr.": "Leiter",
    "Verk.": "Verkäufer",
    "MFA": "medizinische Fachangestellte",
    "ZFA": "zahnmedizinische Fachangestellte",
    "PTA": "pharmazeutisch-technische Assistenz",
    "MTA": "medizinisch-technische Assistenz",
    "OTA": "operationstechnische Assistenz",
    "GuK": "Gesundheits- und Krankenpfleger",
    "SHK": "Sanitär-, Heizungs- und Klimatechnik",
    "TGA": "technische Gebäudeausrüstung",
    "GaLaBau": "Garten- und Landschaftsbau",
    "FiBu": "Finanzbuchhaltung",
    "SW": "Software",
    "Sr.": "Senior",
    "Jr.": "Junior",
    "Mgr.": "Manager",
    "Eng.": "Engineer",
    "Asst.": "Assistant",
    "Admin.": "Administrator",
    "Exec.": "Executive",
    "Acct.": "Accountant",
    "Dev": "Developer",
    "SWE": "Software Engineer",
    "PM": "Project Manager",
    "RN": "registered nurse",
}
_FULL_WORDS = {short.casefold(): words for short, words in ABBREVIATIONS.items()}
_ABBREVIATED = re.compile(
    r"(?<![\w.&/+-])(?:"
    + "|".join(
        rf"(?i:{re.escape(short)})" if short.endswith(".") else rf"{short}(?![\w.&/+])"
        for short in sorted(ABBREVIATIONS, key=len, reverse=True)
    )
    + ")"
)

_TIME = r"(?:voll|teil)zeit(?:kraft)?|full[- ]?time|part[- ]?time"
_PLACE = r"home[ -]?office|remote|mobiles arbeiten|hybrid"
_TEAM = r"team|standort|haus|büro|niederlassung|filiale|office|site|location"
_WEEKLY = r"(?: ?(?:/|pro|per|die|a) ?(?:woche|week)\b)?"
_CONDITIONS = re.compile(
    "|".join(
        (
            r"\b(?:in |auf )?(?:voll|teil)-? ?(?:/|und|oder|u\.|o\.) ?(?:voll|teil)zeit\b",
            rf"\b(?:in |auf |als )?(?:{_TIME})(?: ?(?:/|und|oder|or|and) ?(?:{_TIME}))?\b",
            rf"\b(?:ab )?(?:\d{{1,3}} ?[-–] ?)?\d{{1,3}} ?(?:%|(?:h|std|(?:wochen)?stunden|hours)\b\.?){_WEEKLY}",
            r"\bab (?:sofort|(?:dem )?\d{1,2}\. ?\d{1,2}\.(?: ?20\d\d)?)",
            r"\bzum nächst(?:möglichen|en) (?:zeitpunkt|termin)\b",
            r"\b(?:ausbildungs)?(?:start|beginn) (?:\w{3,9} )?20\d\d\b|\bstart(?:ing)? (?:immediately|asap|now)\b",
            r"\b(?:un)?befristet(?:e[rns]?)?(?: (?:stelle|anstellung))?\b|\bfestanstellung\b",
            r"\b(?:auf )?(?:mini|midi)-?job(?:-?basis)?\b",
            rf"\b(?:100 ?% )?(?:{_PLACE})(?: (?:möglich|option|possible))?(?=\W*$)",
            r"\b(?:bis zu |bis |ab |up to )?\d[\d.,]* ?(?:€|eur|euro|chf)(?:-? ?(?:basis|job)| ?(?:/|pro|per) ?\w+)?",
            r"\bquereinst(?:eiger|ieg) (?:willkommen|möglich)\b|\b(?:dringend )?gesucht\b",
            r"\bwir suchen\b(?: (?:dich als|eine[nr]?))?|\b(?:now|we are) hiring\b",
            rf"\b(?:für|in|bei|for|at|an) (?:unser(?:e[mnrs]?)?|our) (?:\w+ ){{0,2}}?(?:{_TEAM})\b.*",
        )
    ),
    re.IGNORECASE,
)
# Every condition holds one of these, in lower case; most titles none.
_SUSPECT = re.compile(
    r"[%€\d]|zeit|time|sofort|befristet|anstellung|job|remote|office|hybrid|arbeiten|such|hiring|quer|start|unser|our"
)
_LEFT_OVER = re.compile(r"\([\s,/|–-]*\)|(?<=\s)[-–—|,;:+/•·!](?=\s+[-–—|,;:+/•·!]|\s*$)")
_LOOSE_ENDS = " -–—/|,;:*+_·•!."


def job_name(title: str) -> str:
    """ "Sr. SW-Entwickler (m/w/d) in Vollzeit, ab sofort" -> "Senior Software-Entwickler".

    Where nothing would be left, the cleaned title. Total: any string is accepted, see `clean_title`.
    """
    cleaned = clean_title(title)
    return without_conditions(spelt_out(cleaned)) or cleaned


def spelt_out(title: str) -> str:
    """A cleaned title with its usual abbreviations in full words."""
    return _ABBREVIATED.sub(lambda found: _FULL_WORDS[found[0].casefold()], title)


def without_conditions(title: str) -> str:
    """A cleaned title without hours, start, pay and place of work; may be empty."""
    if not _SUSPECT.search(title.lower()):
        return title
    left = _CONDITIONS.sub(" ", title)
    return title if left == title else " ".join(_LEFT_OVER.sub(" ", left).split()).strip(_LOOSE_ENDS)
