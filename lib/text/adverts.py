"""Title, employer and places of a job advert that is a document: no fields, only lines, larger and smaller ones.

Written for German and English adverts. What is not clear is None: a wrong title is worse than a missing one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import msgspec

from lib.text.documents import Document, Line
from lib.text.employers import employer
from lib.text.gazetteer import FOREIGN, FORM, OWN, Gazetteer, fold
from lib.text.places import resolve

_MAX_TITLE = 140
_SLACK, _SLACK_OCR = 0.04, 0.25  # how much sizes of one heading's lines differ; of a picture they are guesses
_MAX_LINES = 2_000
_MAX_PLACES = 10


class Advert(msgspec.Struct, frozen=True):
    """`places`: names of cities, as the gazetteer writes them; empty when none is stated."""

    title: str | None = None
    company: str | None = None
    places: tuple[str, ...] = ()


def read_advert(document: Document, gazetteer: Gazetteer) -> Advert:
    """What the document says of the job. Of several adverts in one document, the first one counts."""
    lines = document.lines[:_MAX_LINES]
    found = _title(lines, document.title, slack=_SLACK_OCR if document.ocr else _SLACK)
    company = employer([line.text for line in lines], document.author)
    return Advert(
        title=None if found is None else found.text,
        company=company,
        places=_places(lines, found, company, gazetteer),
    )


# ---- title ----------------------------------------------------------------------------------------------------------

_GENDER = re.compile(
    r"(?i)(?<!\w)\(?\s*[mwdfxi]\s*[/|]\s*[mwdfxi]\s*(?:[/|]\s*[mwdfxi]\s*)?\)?(?!\w)|\(gn\)|all genders"
)
_ROLE = re.compile(
    r"(?i)\w*(?:ingenieur|entwickler|manager|leiter|leitung|kraft|kräften?|berater|mitarbeiter|assisten[tz]|pfleger|"
    r"verkäufer|techniker|mechaniker|mechatroniker|elektroniker|administrator|spezialist|referent|architekt|kaufmann|"
    r"kauffrau|kaufleute|meister|fahrer|koch|köchin|arzt|ärztin|therapeut|erzieher|lehrer|informatiker|analyst|"
    r"consultant|developer|engineer|designer|scientist|praktikant|praktikum|internship|werkstudent|trainee|volontär|"
    r"azubi|auszubildende|ausbildung|sachbearbeiter|buchhalter|controller|disponent|monteur|schlosser|bauer|planer|"
    r"doktorand|promotionsstelle|qualifizierungsstelle|abschlussarbeit|bachelorarbeit|masterarbeit|thesis|hausmeister|"
    r"redakteur|jurist|anwalt|professur|professor|experte|fachfrau|fachmann|helfer|gehilfe|führer|wart)"
    r"(?:[:*/_(]?-?(?:innen|in|en|n|r|s)\)?)*(?!\w)|(?<!\w)intern(?!\w)"
)
_NO_TITLE = re.compile(
    r"(?i)^(?:wir|du|sie|ihre?|deine?|unsere?|das|was|wer|warum|über|jetzt|bewirb|werde|komm|kontakt|ansprech\w*|"
    r"aufgaben?|profil|benefits|your|our|we|about|stellen(?:ausschreibung|anzeige|angebote?)|(?:job|stellen)?details|"
    r"willkommen|interesse|haben|possible|mögliche|frau|herr|dr|prof|tel|telefon|e-?mail|www)(?![\w-])|[?!:]$|@"
)
_SENTENCE = re.compile(
    r"(?i)(?<!\w)(?:ist|sind|hast|haben|wird|werden|freuen|bieten|bist|kannst|suchen|sucht|arbeitest|are|is|will)(?!\w)"
)
_PREFIX = re.compile(r"(?i)^(?:stellen(?:ausschreibung|anzeige|angebot)|job(?:angebot)?|copy of)\s*[-–:_]?\s*")
_SUFFIX = re.compile(
    r"(?i)\s*[-–|(,]*\s*(?:job-?id|kennziffer|kennzahl|referenz(?:nummer)?|ref\.?-?nr\.?)\b.*$|"
    r"\s*\(\d+ ?(?:Std|h)\b[^)]*\)$"
)
_BROKEN = re.compile(
    r"\s*\((?:[^)]*|[^\w)]*\w?[^\w)]*\))$"
)  # what is left of "(m/w/d)" in a picture that was read badly
_GOES_ON = re.compile(r"(?i)(?:für den bereich|im bereich|in der|für|im)\s")
_BULLET = re.compile(r"^[\W_]\s")


class _Heading(msgspec.Struct, frozen=True):
    """Lines of one size that stand together; `start` and `end` are their positions among all lines."""

    text: str
    size: float
    start: int
    end: int


def _title(lines: Sequence[Line], stated: str | None, *, slack: float) -> _Heading | None:
    if not lines:
        return None
    body = _body_size(lines)
    best: tuple[float, _Heading] | None = None
    for heading in _headings(lines, body, slack):
        score = _score(heading, body, stated)
        if score is not None and (best is None or score > best[0]):
            best = score, heading
    return None if best is None else best[1]


def _body_size(lines: Sequence[Line]) -> float:
    """The size that most letters have."""
    return median(line.size for line in lines for _ in range(1 + len(line.text) // 20)) or 1.0


def _headings(lines: Sequence[Line], body: float, slack: float) -> Iterator[_Heading]:
    """Every run of at most four lines of one size, with a line that clearly continues it."""
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and end - start < 4 and _goes_on(lines[end - 1], lines[end], slack):
            end += 1
        text = " ".join(line.text for line in lines[start:end])
        if end < len(lines) and (_GOES_ON.match(lines[end].text) or _GENDER.fullmatch(lines[end].text.strip())):
            text, end = f"{text} {lines[end].text}", end + 1
        elif end < len(lines) and " " not in text and _ROLE.fullmatch(text) and lines[end].size > 1.5 * body:
            below = next(_headings(lines[end:], body, slack))  # "TRAINEE" in huge letters over what in large ones
            text, end = f"{text} {below.text}", end + below.end
        text = _SUFFIX.sub("", _PREFIX.sub("", text[: 2 * _MAX_TITLE])).strip(" .,-–|")
        text = _BROKEN.sub("", text)
        yield _Heading(text, lines[start].size, start, end)
        start = end


def _goes_on(above: Line, line: Line, slack: float) -> bool:
    level = abs(above.size - line.size) <= slack * above.size
    return (
        level and not _NO_TITLE.search(above.text) and not _NO_TITLE.search(line.text) and not _BULLET.match(line.text)
    )


def _score(heading: _Heading, body: float, stated: str | None) -> float | None:
    """How well a heading does as a title, None when it is none."""
    text = heading.text
    if not 4 <= len(text) <= _MAX_TITLE or _NO_TITLE.search(text) or _SENTENCE.search(text) or _BULLET.match(text):
        return None
    marked, role = bool(_GENDER.search(text)), bool(_ROLE.search(text))
    if len(_GENDER.sub("", text).strip()) < 4:
        return None
    larger = heading.size / body
    told = stated is not None and len(fold(text)) > 8 and fold(text) in fold(stated)
    if not (marked or role or told) or (larger < 1.1 and not marked) or len(text.split()) > 16:
        return None
    return 3.0 * marked + 2.0 * role + 2.0 * told + 2.5 * min(larger, 2.5) - heading.start / 200


# ---- places ---------------------------------------------------------------------------------------------------------

_LABEL = re.compile(
    r"(?i)(?<!\w)(?:(?:einsatz|arbeits|dienst)ort|dienstsitz|standorte?|location|ort(?=:))(?!\w)\s*:?\s*(.*)$"
)
_NO_PLACE = re.compile(r"(?i)(?:plz|postleitzahl|straße|ort|adresse)\b")
_ADDRESS = re.compile(
    r"(?<![\w-])(?:(?:D|A|CH)-)?\d{4,5} +"
    r"([A-ZÄÖÜ][\w.-]+(?:(?: (?:am|an der|im|in|ob der|bei))?[ /][A-ZÄÖÜ(][\w.)-]+){0,2})"
)
_IN_CITY = re.compile(r"(?<!\w)(?:in|In|bei|Raum) ([A-ZÄÖÜ][\w-]+(?: (?:am|an der|im) [A-ZÄÖÜ][\w-]+)?)")
_APART = re.compile(r"\s*(?:[/,;|&•·]|(?<!\w)(?:oder|und|or|and)(?!\w)|\s[-–]\s)\s*")
_ANYWHERE = re.compile(r"(?i)remote|home-?office|hybrid|mobil(?:es arbeiten)?")
_INSTITUTION_HOST = re.compile(r"(?:[@./])(?:uni|stadt|hs|fh|th|tu|klinikum)-([a-z-]{3,30})\.(?:de|at|ch)(?!\w)")
_SMALLEST = {OWN: 5_000, FORM: 20_000, FOREIGN: 100_000}  # inhabitants of the cities that a name is believed to mean
_NEAR = 6


def _places(
    lines: Sequence[Line], title: _Heading | None, company: str | None, gazetteer: Gazetteer
) -> tuple[str, ...]:
    """The surest kind of statement that there is: a label, a lone name or "in ..." by the title, an address."""
    texts = [line.text for line in lines]
    near = texts if title is None else texts[max(0, title.start - _NEAR) : title.end + _NEAR]
    for found in (
        _labelled(texts, gazetteer),
        _alone(near, gazetteer),
        _cities((name for text in near for name in _IN_CITY.findall(text)), gazetteer),
        _addresses(texts, gazetteer),
        _cities(company.split() if company else [], gazetteer),
        _cities((name.title() for name in _INSTITUTION_HOST.findall(" ".join(texts if company else []))), gazetteer),
    ):
        if found:
            return tuple(found[:_MAX_PLACES])
    return ()


def _alone(texts: Sequence[str], gazetteer: Gazetteer) -> list[str]:
    """The cities of lines that name nothing else: "Munich or Remote"."""
    found: list[str] = []
    for text in texts:
        parts = [part for part in _APART.split(text[:120]) if part and not _ANYWHERE.fullmatch(part)]
        cities = _cities(parts, gazetteer)
        if len(cities) == len(parts):
            found += [city for city in cities if city not in found]
    return found


def _labelled(texts: Sequence[str], gazetteer: Gazetteer) -> list[str]:
    for position, text in enumerate(texts):
        label = _LABEL.match(text) if len(text) <= 200 else None
        if label is None:
            continue
        stated = label[1] or (texts[position + 1] if position + 1 < len(texts) else "")
        if _NO_PLACE.match(stated):
            continue
        found = _cities(_APART.split(stated), gazetteer)
        if not found and (match := resolve(gazetteer, [stated[:80]], None)) is not None and match.city:
            found = [match.city]
        if found:
            return found
    return []


def _addresses(texts: Sequence[str], gazetteer: Gazetteer) -> list[str]:
    """The city of the one address that is given; several cities are no answer."""
    found = Counter(
        city
        for text in texts
        for written in _ADDRESS.finditer(text[:500])
        for city in _cities([written[1], written[1].split()[0]], gazetteer)[:1]
    )
    return list(found) if len(found) == 1 else []


def _cities(names: Iterable[str], gazetteer: Gazetteer) -> list[str]:
    """The cities that the names are as a whole, each once; small ones and names of other meanings are left out."""
    found: dict[str, None] = {}
    for name in names:
        if len(name) < 3 or not name[0].isupper():
            continue
        place, rank = next(iter(gazetteer.cities(fold(name))), (None, OWN))
        if place is not None and place.population >= _SMALLEST[rank]:
            found[place.name] = None
    return list(found)
