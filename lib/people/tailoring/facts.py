"""The facts in a sentence: numbers with what they count, names, skills, and words that say more than they seem to.

German and English. A fact that is found in a suggestion has to be found in its evidence too.
"""

from __future__ import annotations

import re
from typing import Final

_NUMBER = re.compile(
    r"(?i)(?<![\w.,])[€$£]?\s?(\d[\d.,']*\d|\d)"
    r"(?:\s?(k|m|tsd|mio|mrd|thousand|tausend|millionen|million|milliarden|milliarde|billion)\b\.?)?"
    r"\+?\s?(%|[^\W\d_]+|€|\$|£)?"
)
_SCALED = re.compile(r"\d\s?$")
_LETTERED = re.compile(r"(?<!\w)(?=[\w/.+#-]*\d)(?=[\w/.+#-]*[^\W\d_])[\w/.+#-]+")  # C1, B2B, ISO-9001, S/4HANA
_WORD = re.compile(r"[^\W\d_][\w'’&+#./-]*[\w+#]|[^\W\d_]")
_DATE = re.compile(r"(?<!\d)(\d{1,2})[./](?:(\d{1,2})[./])?(\d{4})(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CLAUSE_END = re.compile(r"[\n,;.:()]")

_NUMERALS: Final = {
    word: number
    for number, words in (
        ("2", "two zwei twice zweimal"), ("3", "three drei dreimal"), ("4", "four vier"),
        ("5", "five fünf"), ("6", "six sechs"), ("7", "seven sieben"), ("8", "eight acht"), ("9", "nine neun"),
        ("10", "ten zehn decade jahrzehnt"), ("11", "eleven elf"), ("12", "twelve zwölf dozen dutzend"),
        ("13", "thirteen dreizehn"), ("14", "fourteen vierzehn"), ("15", "fifteen fünfzehn"),
        ("16", "sixteen sechzehn"), ("17", "seventeen siebzehn"), ("18", "eighteen achtzehn"),
        ("19", "nineteen neunzehn"), ("20", "twenty zwanzig"), ("30", "thirty dreißig"), ("40", "forty vierzig"),
        ("50", "fifty fünfzig"), ("100", "hundred hundert hundreds hunderte"),
        ("1000", "thousand tausend thousands tausende"), ("1000000", "million millionen millions"),
        ("1000000000", "billion milliarde milliarden billions"),
    )
    for word in words.split()
}  # fmt: skip
_UNITS: Final = (
    ("years", re.compile(r"(?i)years?|yrs?|jahr(?:e|en|es)?|jährig\w*")),
    ("months", re.compile(r"(?i)months?|monat(?:e|en|s)?")),
    ("percent", re.compile(r"(?i)%|percent|prozent")),
    ("money", re.compile(r"(?i)€|\$|£|eur|euros?|usd|dollars?|chf|franken|gbp|pounds?")),
    ("people", re.compile(
        r"(?i)people|persons?|employees|staff|engineers|developers|colleagues|members|nurses|"
        r"mitarbeit\w*|personen|leute|kolleg\w*|köpf\w*|entwickler\w*|mitglieder\w*")),
)  # fmt: skip
_SCALES: Final = {
    name: factor
    for factor, names in (
        (1_000, "k tsd thousand tausend"),
        (1_000_000, "m mio million millionen"),
        (1_000_000_000, "mrd milliarde milliarden billion"),
    )
    for name in names.split()
}

# What a suggestion may say only where its evidence says so too, whatever the words: name -> how it is said.
_WEIGHTY: Final = {
    name: re.compile(rf"(?i)(?<!\w)(?:{words})")
    for name, words in {
        "leading others": r"leads?\b|led\b|leading|leader|manag|head(?:ed)?\b|supervis|mentor|coach|direct(?:ed|or)|"
        r"führt|geführt|führung|leit(?:e|et|ete|end|er|erin|ung)\b|geleitet|team\w*leit|\w+leit(?:er|erin|ung)\b|vorgesetzt",
        "responsibility": r"responsib|in charge|accountab|verantwort|zuständig|owned\b",
        "expert knowledge": r"expert|specialist|spezialist|speciali[sz]|mastery|deep knowledge|profound|fundiert|"
        r"umfassend|extensive|langjährig|many years|jahrelang|seasoned|veteran",
        "an award": r"award|prize|winner|winning|won\b|auszeichn|ausgezeichnet|\w*preis(?:träger\w*)?\b|gewann|"
        r"gewonnen|honou?r",
        "a degree": r"bachelor|master\b|master of|masterabschluss|m\.?sc|b\.?sc|b\.?a\.|m\.?a\.|ph\.?d|doctor|doktor|"
        r"promotion\b|promoviert|diplom|mba\b|abitur|staatsexamen|degree|graduat|studi(?:um|ert|ed)|absolvent|magister|"
        r"universit|hochschul|college",
        "a certificate": r"certif|zertifi|licen[cs]e|lizenz|accredit|akkredit|approbation|approbiert|examinier",
        "fluency": r"fluen|native|bilingual|fließend|muttersprach|verhandlungssicher|proficien|zweisprachig",
        "seniority": r"senior|principal|chief|director|vice president|vp\b|geschäftsführ|vorstand|c[tefi]o\b|founder|"
        r"gründ(?:er|ete|ung)|gegründet|founded|prokur|partner\b|executive|abteilungsleit",
        "money": r"budget|revenue|umsatz|profit|gewinn\b|turnover|savings?\b|einspar",
        "a publication": r"publish|publik|publizier|patent|veröffentlich|paper\b|keynote",
        "a result": r"improv|increas|reduc|decreas|boost|accelerat|optimi[sz]|saved|halved|doubl|tripl|cut\b|grew\b|"
        r"verbesser|steiger|gesteigert|erhöh|reduzier|senk|gesenkt|beschleunig|optimier|verdoppel|halbier|verring",
        "being the best or first": r"best\b|largest|leading\b|top\b|first\b|only\b|world-class|outstanding|exceptional|"
        r"beste[rnms]?\b|größte|führend|erstklassig|herausragend|einzige|erste[rnms]?\b|exzellent|excellent",
        "a clearance": r"clearance|sicherheitsüberprüf|work permit|arbeitserlaubnis|citizen|staatsbürger",
    }.items()
}  # fmt: skip
_DENIAL = re.compile(
    r"(?i)(?<!\w)(?:no|not|never|without|lack|lacking|neither|nor|kein\w*|nicht|nie|ohne|weder|abgebrochen\w*|"
    r"dropped out|unfinished|failed|nicht bestanden|durchgefallen)(?!\w)|n['’]t\b"
)


def numbers(text: str) -> set[tuple[str, str]]:
    """(digits, what they count); the second is empty where that is none of the things that we know."""
    text = _DATE.sub(lambda date: " ".join(filter(None, date.groups())), text)
    found = set()
    for match in _NUMBER.finditer(text):
        value = _value(match[1], match[2])
        unit = _unit(match[3] or "") or _money(match[0]) or _near(text, match.end())
        found.add((value, "" if _YEAR.fullmatch(value) else unit))
    found |= {(token.rstrip(".").casefold(), "") for token in _LETTERED.findall(text) if not token[0].isdigit()}
    for word in _WORD.finditer(text):
        number = _NUMERALS.get(word[0].casefold())
        if number is not None and not _SCALED.search(text, max(0, word.start() - 3), word.start()):
            found.add((number, _near(text, word.end())))
    return found


def weighty(text: str) -> set[str]:
    """What the words claim beyond plain facts, by the names that a person understands."""
    return {name for name, pattern in _WEIGHTY.items() if pattern.search(text)}


def denies(text: str) -> bool:
    """Whether the sentence says that something is not so."""
    return _DENIAL.search(text) is not None


def words(text: str) -> list[str]:
    """The words, as they are written."""
    return _WORD.findall(text)


def capitalised(text: str) -> list[str]:
    """Words that begin with a capital, those that begin a sentence too: a name may stand there."""
    return [word for word in _WORD.findall(text) if word[0].isupper()]


def _value(digits: str, scale: str | None) -> str:
    """Digits only: "1.200" and "1,200" are one number, "1.5 Mio." is 1500000, one or two digits are a fraction."""
    fraction = re.fullmatch(r"(\d+)[.,](\d{1,2})", digits)
    factor = _SCALES[scale.casefold()] if scale else 1
    if fraction:
        shifted = int(fraction[1]) * 100 + int(fraction[2].ljust(2, "0"))
        whole = shifted * factor
        return str(whole // 100) if whole % 100 == 0 else f"{whole // 100}.{whole % 100:02}"
    return str(int(re.sub(r"\D", "", digits)) * factor)


def _unit(word: str) -> str:
    return next((name for name, pattern in _UNITS if pattern.fullmatch(word)), "")


def _money(text: str) -> str:
    return "money" if text.lstrip()[:1] in "€$£" else ""


def _near(text: str, at: int) -> str:
    """What is counted, when an adjective or two stand between."""
    clause = _CLAUSE_END.split(text[at : at + 40], maxsplit=1)[0]
    return next((unit for word in _WORD.findall(clause)[:3] if (unit := _unit(word))), "")
