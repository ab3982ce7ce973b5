"""Title, company and places out of a page or a document that is one job ad. Pure; None rather than wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from daemons.careers.words import APPLY, COMPANY, GENDERS, LIST_TITLE, OFFER, PROFILE, TASKS
from lib.posting.contract import clean_text
from lib.posting.values import day, line, moment
from lib.text.employers import employer

_MAX_TITLE_CHARS = 200
_LETTERS = re.compile(r"[^\W\d_]{3}")
_OTHERS = re.compile(r"kunde|partner|mandant|auftraggeber|client|customer", re.IGNORECASE)
_TITLE_PARTS = re.compile(r"\s+[|»·•>]+\s+|\s+[-–—]+\s+|\s*::\s*")
_BEFORE_TITLE = re.compile(
    r"^(?:(?:stellen(?:angebot|anzeige|ausschreibung|beschreibung)|job(?:angebot)?|vacancy|career|karriere|wir suchen|"
    r"gesucht|aktuell|stelle|position|job title)\s*[:|–—-]\s*|"
    r"wir suchen (?:(?:zum \w+ \w+|ab sofort|für .{3,40}?) )?(?:eine?n?|eine/n|eine\(n\)|eine:n)\s+|"
    r"stellenausschreibung\s+)",
    re.IGNORECASE,
)
_PLACE_LABEL = re.compile(
    r"^(?:(?:(?:unser|ihr) )?(?:arbeits|einsatz|dienst|stand|schul|tätigkeits)orte?(?:/e)?|arbeitsplatz|ort|location|"
    r"office|work location|place of work|niederlassung|filiale)\s*(?:\(.{1,20}\)\s*)?(?::\s*(.*))?$",
    re.IGNORECASE,
)
_PLACE_FORM = re.compile(r"(?:(?:D|A|CH|AT|DE)[- ])?(?:\d{4,5} )?[A-ZÄÖÜ][\w.'’/()-]*(?:,? [\w.'’/()-]+){0,5}")
_POSTAL = re.compile(
    r"(?<![\w-])(?:(?:D|A|CH)[- ])?(\d{4,5}) "
    r"([A-ZÄÖÜ][a-zäöüß]+(?:[ -](?:[A-ZÄÖÜ][a-zäöüß]+|am|an der|im|in|ob der|bei)){0,3})"
)
_TITLE_PLACE = re.compile(
    r"(?:\b(?:in|bei|am Standort|Standort|Raum|Region)\s+|[|,@(–—-]\s*)([A-ZÄÖÜ][^|,()–—]{2,40})\)?\s*$"
)
_DEADLINE = re.compile(
    r"(?:bewerbungs(?:frist|schluss|ende)|bewerben sie sich bis|bewerbung(?:en)? bis|apply by|application deadline|"
    r"closing date)[^\d\n]{0,40}(\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}|\d{4}-\d\d-\d\d)",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    r"(?:©|\(c\)|copyright)\s*(?:\d{4}\s*(?:[-–]\s*\d{4})?)?\s*(?:by\s+)?([^|©\n]{3,80})", re.IGNORECASE
)


def title_of(candidates: Iterable[str], site_name: str | None) -> str | None:
    """The ad's title among a page's headings and titles, given in the order in which they are trusted.

    One that says "(m/w/d)" wins; then the first that is no list's, greeting's or site's name.
    """
    read = [_trimmed(candidate, site_name) for candidate in candidates]
    known = [one for one in read if one and _may_be_title(one)]
    return next((one for one in known if GENDERS.search(one)), next(iter(known), None))


def _may_be_title(text: str) -> bool:
    if GENDERS.search(text):
        return bool(_LETTERS.search(GENDERS.sub("", text)))
    return bool(_LETTERS.search(text)) and not any(one.search(text) for one in (LIST_TITLE, PROFILE, OFFER, TASKS))


def _trimmed(text: str, site_name: str | None) -> str | None:
    """A title without the words around it: the site's name, the company's, "Stellenangebot:"."""
    said = line(clean_text(text, 1_000)) or ""
    parts = [part for part in _TITLE_PARTS.split(said) if part]
    if len(parts) > 1 and (site_name or len(said) > 60):
        marked = [part for part in parts if GENDERS.search(part)]
        while len(parts) > 1 and _is_name(parts[-1], site_name) and parts[-1] not in marked[:1]:
            said = said[: said.rindex(parts[-1])].rstrip(" |»·•>-–—:")
            parts.pop()
    said = _BEFORE_TITLE.sub("", said).strip(" |–—-:.")
    return said if 3 <= len(said) <= _MAX_TITLE_CHARS else None


def _is_name(part: str, site_name: str | None) -> bool:
    plain = part.casefold()
    own = (site_name or "").casefold()
    return bool(COMPANY.search(part)) or bool(LIST_TITLE.search(part)) or bool(own and (plain in own or own in plain))


def company_of(organisations: Sequence[str], page_title: str, around: Sequence[str], text: str) -> str | None:
    """The employer: what the page's markup calls its organisation, else the one name with a legal form that the page's
    title, its copyright line or the beginning of its text has."""
    for name in organisations:
        if COMPANY.search(name):
            return line(name)
    copyrights = " \n".join(found[1] for found in map(_COPYRIGHT.search, around[-30:]) if found)
    for where in (page_title, copyrights, text[:3_000]):
        names = list(
            dict.fromkeys(
                _company(found[1])
                for found in islice(COMPANY.finditer(where), 50)
                if not _OTHERS.search(where[max(0, found.start() - 30) : found.start() + 10])
            )
        )
        if len(names) == 1 or (names and where is text):
            return names[0]
    return line(organisations[0]) if organisations else employer([page_title, *text.splitlines(), *around[-30:]])


def _company(name: str) -> str:
    return re.sub(
        r"^(?:\w{4,}\. )?(?:(?:Die|Der|Das|Wir|Bei|Als|The|Firma|Impressum|Über|Kontakt|Copyright) )+", "", name
    )


def places_said(lines: Sequence[str]) -> tuple[str, ...]:
    """The places that the page names as such: "Einsatzort: Kassel"."""
    for text in lines:
        label = _PLACE_LABEL.match(text) if len(text) <= 160 else None
        value = (label[1] or "").strip(" .|") if label else ""
        parts = [
            part.strip() for part in re.split(r"\s*(?:;|\||\boder\b|\bund\b|\bor\b| / |,\s+(?=[A-ZÄÖÜ]))\s*", value)
        ]
        if value and len(value) <= 120 and all(_PLACE_FORM.fullmatch(part) for part in parts if part):
            return tuple(dict.fromkeys(part for part in parts if part))[:10]
    return ()


def place_hints(title: str, lines: Sequence[str]) -> tuple[str, ...]:
    """What may be the place and must be looked up first: the line below a label such as "Standort", the end of the
    title, a short line near the beginning, the only town of the page's addresses."""
    below = [lines[at + 1] for at, text in enumerate(lines[:-1]) if len(text) <= 40 and _PLACE_LABEL.match(text)]
    plain = GENDERS.sub(" ", title)
    ending = _TITLE_PLACE.search(plain.strip())
    towns = {found[2]: found[0] for text in lines[:1_000] for found in _POSTAL.finditer(text)}
    short = [one for one in lines[:20] if 3 <= len(one) <= 50]
    return (
        *(one for one in below[:3] if len(one) <= 80),
        *([ending[1].strip()] if ending else []),
        *short,
        *(towns.values() if len(towns) == 1 else ()),
    )


def deadline_of(text: str) -> datetime | None:
    """The last day on which one may apply, where the ad states it."""
    found = _DEADLINE.search(text)
    if found is None:
        return None
    return moment(found[1]) if "-" in found[1] else day(found[1].replace(" ", ""), "dmy")


def is_application(text: str) -> bool:
    """Whether a link's words lead to an application form."""
    return len(text) <= 60 and bool(APPLY.search(text))
