"""Job titles without what does not name the job: gender markers, paired forms and stray characters.

Forms are those of German-language job boards: "(m/w/d)", "Köch:in", "Kaufmann/-frau", "Koch/Köchin". A pair is
reduced to its masculine form, because that is the form which taxonomies list first.
"""

from __future__ import annotations

import re
import unicodedata

_MAX_CHARACTERS = 500  # real titles stay below 200; a longer one is a text in the wrong field

_GENDER = r"(?:männlich|weiblich|divers|male|female|diverse|div\.?|gn|inter|any|all|[mwdfxihna])"
_BETWEEN = r"\s*[/|,;*+:_\-.\\]\s*"
_OPEN, _CLOSE = r"[(\[{]\s*", r"\s*\*?\s*[)\]}]"
_MARKERS = [
    re.compile(rf"{_OPEN}{_GENDER}(?:{_BETWEEN}{_GENDER}){{1,4}}{_CLOSE}", re.IGNORECASE),
    re.compile(rf"{_OPEN}(?:mwd|mwx|wmd|dmw|fmd|mfd|gn|a|div\.?|divers|w|m|d){_CLOSE}", re.IGNORECASE),
    re.compile(
        rf"(?:{_OPEN})?\b(?:all genders?|any genders?|alle geschlechter|geschlechtsneutral|gender[- ]?neutral)\b"
        rf"(?:{_CLOSE})?",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![\w/])(?:[mwdfxi]\s?[/|*]\s?){2,3}[mwdfxi]\b\*?(?![/\w])", re.IGNORECASE),
    re.compile(r"(?<![\w/])(?:m/w|w/m|m/f|f/m|h/f|f/h)(?![/\w])", re.IGNORECASE),
]
# "Verkäufer:in", "Verkäufer*innen", "Verkäufer/-in", "Verkäufer(in)", "Verkäufer_in", "Verkäufer·in"
_SUFFIX = re.compile(r"(?<=[^\W\d_]{3})(?:\s?[:*·•/_]-?|/\s-|\(-?)(?:innen|in)\b\)?(?=[\W_]|$)", re.IGNORECASE)
_BINNEN_I = re.compile(r"(?<=[a-zäöü](?:er|or|nt|st|ur|är|ar))In(?:nen)?(?=[\W_]|$)")
_MANN_FRAU = re.compile(r"mann(?:\s?[/:*_]\s?-?)frau\b", re.IGNORECASE)
_FRAU_MANN = re.compile(r"frau(?:\s?[/:*_]\s?-?)mann\b", re.IGNORECASE)
_ADJECTIVE = re.compile(r"(?<=[^\W\d_]{2}e)(?:[/:*_]-?r|\(r\)|r[/:*_]-?e|r\(e\))(?=[\W_]|$)", re.IGNORECASE)
_ADJECTIVE_TWICE = re.compile(r"(?<=[^\W\d_]er)(?:[/:*_]-?r|\(r\))(?=[\W_]|$)", re.IGNORECASE)
_WORD_PAIR = re.compile(r"([^\W\d_][\w\-]*) ?/ ?([^\W\d_][\w\-]*)")
_EMPTY_BRACKETS = re.compile(r"[(\[{]\s*[)\]}]")
# Every marker and every form of a pair has one of these; a title without any needs none of the expressions above.
_SUSPECT = re.compile(r"[(\[{/|*:_·•]|[a-zäöü]In|(?i:gender|geschlecht)")
_LOOSE_ENDS = " \t-–—/|,;:*+_·•"
_UMLAUTS = str.maketrans("äöü", "aou")


def clean_title(title: str) -> str:
    """`title` in NFC with single spaces, without gender markers and feminine twins; may be empty.

    Total: any string is accepted (NULs, lone surrogates, a whole text); at most 500 characters are kept.
    """
    text = _printable(title[: 4 * _MAX_CHARACTERS])[:_MAX_CHARACTERS]
    if _SUSPECT.search(text):
        for marker in _MARKERS:
            text = marker.sub(" ", text)
        if _SUSPECT.search(text):
            text = _without_twins(text)
    return " ".join(text.split()).replace(" ,", ",").strip(_LOOSE_ENDS)


def _without_twins(text: str) -> str:
    text = _BINNEN_I.sub("", _SUFFIX.sub("", text))
    text = _FRAU_MANN.sub("mann", _MANN_FRAU.sub("mann", text))
    text = _ADJECTIVE_TWICE.sub("", _ADJECTIVE.sub("r", text))
    text = _masculine_half(" ".join(text.split()))
    text = _WORD_PAIR.sub(lambda pair: _masculine(pair[1], pair[2]) or pair[0], text)
    return _EMPTY_BRACKETS.sub(" ", text)


def _printable(text: str) -> str:
    """NFC; invisible characters dropped, control characters and surrogates turned into spaces."""
    text = unicodedata.normalize("NFC", text)
    if text.isprintable():
        return text
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Cf":
            continue
        kept.append(" " if category[0] in "CZ" else character)
    return unicodedata.normalize("NFC", "".join(kept))


def _masculine_half(text: str) -> str:
    """ "Technischer Leiter/Technische Leiterin" -> "Technischer Leiter"; anything else unchanged."""
    left, slash, right = text.partition("/")
    if not slash or "/" in right:
        return text
    return _masculine(left.strip(), right.strip()) or text


def _masculine(left: str, right: str) -> str | None:
    """The masculine one of two twin forms, None where they are no twins."""
    if _is_feminine_of(right, left):
        return left
    if _is_feminine_of(left, right):
        return right
    return None


def _is_feminine_of(feminine: str, masculine: str) -> bool:
    ours, theirs = feminine.lower().split(), masculine.lower().split()
    if len(ours) != len(theirs) or ours == theirs:
        return False
    return all(f == m or _is_feminine_word(f, m) for f, m in zip(ours, theirs, strict=True))


def _is_feminine_word(feminine: str, masculine: str) -> bool:
    """Köchin/Koch, Kauffrau/Kaufmann, Technische/Technischer, Ärztin/Arzt, Psychologin/Psychologe."""
    if feminine + "r" == masculine or feminine + "n" == masculine:
        return feminine.endswith("e")
    if feminine.endswith("frau") and masculine.endswith("mann"):
        return feminine[:-4] == masculine[:-4]
    for suffix in ("innen", "in"):
        if feminine.endswith(suffix):
            stem = feminine.removesuffix(suffix).translate(_UMLAUTS)
            base = masculine.translate(_UMLAUTS)
            return len(stem) >= 3 and base in (stem, stem + "e", stem + "en", stem + "n", stem + "er")
    return False


_NEGATED = re.compile(
    r"\b(?:kein(?:e|en|er)?|nicht|ohne|no|not|non|without)[\s\-]+(?:\w+[\s\-]+){0,1}?"
    r"(?:praktik\w+|ausbildung\w*|intern(?:s|ship)?|trainee\w*|junior|senior|lead|head|azubis?|entry[\s\-]level)\b"
    r"|\b(?:mit|nach)\s+(?:\w+er\s+)?(?:\w{0,12}ausbildung|trainee\w*|studium)\b",
    re.IGNORECASE,
)
# The level belongs to somebody else: "Assistenz der Bereichsleitung", "Assistant to the Head of Sales".
_SOMEBODY_ELSE = re.compile(
    r"\b(?:assisten\w+|sekretär\w*|office manager\w*|referent\w*|büro|assistant|secretary|advisor|stellv\w*|deputy)\b"
    r"[^,|/()]{0,30}?\b(?:des|der|to|to the|of the|für die|für den)\b.*|"
    r"\b(?:betreu\w+|ausbild(?:er|erin|ung) (?:von|für)|coach\w*|recruit\w+)\b.*\b(?:für|von|for|of)\b.*",
    re.IGNORECASE,
)
# In the order in which they win: "Trainee Head of ..." is a trainee.
_LEVELS = {
    "intern": "praktik(?:um|ant\\w*) pflichtpraktikum werkstudent\\w* working_student interns? internships? stagiaire",
    "trainee": "(?:fach|berufs)?ausbildung azubis? auszubildende[rn]? lehrling\\w* lehrstelle trainees? "
    "traineeprogramm volontär\\w* volontariat apprentices?(?:hip)? dual(?:es|er)?_stud\\w+ ausbildungsplatz",
    "head": "head(?!_hunt|_office|_count|_nurse) director direktor(?:in)? vice_president vp chief c[efimt]o "
    "geschäftsführ(?:er|erin|ung) vorstand leiter(?:in)? leitung "
    "(?:abteilungs|bereichs|haupt|gesamt|einrichtungs|werks|niederlassungs|personal|vertriebs|standort|pflegedienst|regional|bezirks)"
    "leit(?:er|erin|ung)",
    "lead": "lead(?!_gen|_manage|_qualif|_nurtur|_audit) team_?lead(?:er)? tech_?lead vorarbeiter(?:in)? supervisor "
    "(?:team|gruppen|schicht|filial|markt|wohnbereichs|stations|projekt|bau|küchen|sachgebiets|referats)"
    "leit(?:er|erin|ung) polier(?:in)?",
    "senior": "senior sr\\.? principal staff(?=_(?:engineer|software|data|developer|scientist|designer))",
    "junior": "junior jr\\.? berufseinsteiger(?:in)? berufsanfänger(?:in)? entry[_-]level graduate(?!_school) "
    "absolvent(?:in)? young_professionals?",
    "mid": "mid mid[_-]?level intermediate medior mit_berufserfahrung berufserfahrene[rn]?",
}


def _any_of(words: str) -> re.Pattern[str]:
    """Whole words; alternatives are separated by spaces, and "_" stands for a space inside one of them."""
    alternatives = words.replace(" ", "|").replace("_", " ")
    return re.compile(rf"(?<![\w\-])(?:{alternatives})(?!\w)", re.IGNORECASE)


_LEVEL_PATTERNS = {level: _any_of(words) for level, words in _LEVELS.items()}


def seniority(title: str) -> str | None:
    """The level that `title` states: intern, trainee, junior, mid, senior, lead or head; None where it states none.

    Two grades side by side ("Junior/Senior Consultant") are a range and give None. A denied level ("keine
    Ausbildung nötig") and the level of another person ("Assistenz der Bereichsleitung") do not count.
    """
    text = _NEGATED.sub(" ", clean_title(title))
    text = _SOMEBODY_ELSE.sub(" ", text)
    found = [level for level, pattern in _LEVEL_PATTERNS.items() if pattern.search(text)]
    grades = {"junior", "mid", "senior"}.intersection(found)
    if len(grades) > 1:
        return None
    return found[0] if found else None
