"""The words by which German and English job ads are known."""

from __future__ import annotations

import re


def _phrases(lines: str, before: str = "", after: str = "") -> re.Pattern[str]:
    """One pattern of phrases, a line each, each a regular expression of its own."""
    alternatives = "|".join(line.strip() for line in lines.strip().splitlines())
    return re.compile(f"{before}(?:{alternatives}){after}", re.IGNORECASE)


_LETTER = r"(?:[mwfdxiagn*]|div(?:ers)?\.?|gn|all|any)"
# "(m/w/d)", "m/w/x", "(w,m,d)", "(all genders)", "Mitarbeiter*in", "Verkäufer:in", "Fachkraft / -in".
GENDERS = _phrases(
    rf"""
    [(\[|]\s*{_LETTER}(?:\s*[/|,;.·•*]\s*{_LETTER}){{1,4}}\s*[)\]|]
    (?<!\w)[mwf]\s*[/|]\s*[mwf]\s*[/|]\s*[dxi*](?!\w)
    \(\s*(?:all|any|alle) (?:genders?|geschlechter)\s*\)
    (?<!\w)all genders(?!\w)
    \(gn\)
    (?<=[a-zäöü])(?:[*:_]in(?:nen)?|/-?in(?:nen)?|\(in\))(?!\w)
    """
)
TASKS = _phrases(
    r"""
    aufgabe
    tätigkeit
    (?:das|was) (?:erwartet|machst) (?:sie|dich|du)
    what you(?:['’]ll| will)? (?:be )?do
    (?:what )?you(?:['’]ll| will)\b
    about the (?:role|job|position)
    job summary
    your impact
    duties
    day.to.day
    responsibilit
    your (?:role|tasks|mission|job)
    the role\b
    verantwortung
    stellenbeschreibung
    job description
    deine? (?:job|rolle)
    ihre? (?:rolle|wirkungsbereich|einsatz)
    einsatzgebiet
    """
)
PROFILE = _phrases(
    r"""
    profil\b
    qualifikation
    anforderung
    voraussetzung
    mitbring
    bring(?:en|st) (?:sie|du)
    (?:sie|du) bring(?:en|st)
    requirements
    qualifications
    what you bring
    who you are
    about you\b
    your (?:profile|skills|background)
    (?:wir|unsere) erwart(?:en|ungen)
    wen wir suchen
    (?:das|was) (?:zeichnet|wünschen)
    kenntnisse
    damit (?:punkt|überzeug)
    what we(?:['’]re| are) looking for
    must.haves?
    nice.to.haves?
    (?:minimum|basic|preferred|required|desired)\b.{0,30}(?:skills|experience|qualifications)
    (?:skills|experience)(?: (?:and|&) \w+)?:?$
    (?:the )?ideal candidate
    you have
    """
)
OFFER = _phrases(
    r"""
    wir bieten
    bieten wir
    (?:unser|das) angebot
    vorteile
    benefits
    we offer
    perks
    gute gründe
    freu(?:en)? (?:sie|dich)
    what (?:we offer|you get|awaits)
    what['’]?s in it for you
    compensation
    why (?:join|work)
    darauf (?:können|kannst)
    deine zukunft
    leistungen
    warum (?:wir|zu uns)
    """
)
APPLY = _phrases(
    r"""
    (?:jetzt|online|direkt|hier|gleich) bewerben
    bewerben sie sich
    bewirb dich
    zur bewerbung
    bewerbung (?:an|per|senden)
    (?:ihre|deine|aussagekräftige)n? (?:vollständigen? )?(?:aussagekräftigen? )?bewerbung
    bewerbungsunterlagen
    apply (?:now|here|online|for this)
    (?:e-?mail|send) (?:us )?your (?:resume|cv|application)
    ^apply$
    ^bewerben$
    your (?:application|résumé|resume|cv)\b
    """
)
TERMS = _phrases(
    r"""
    vollzeit
    teilzeit
    unbefristet
    befristet
    ab sofort
    zum nächstmöglichen
    minijob
    festanstellung
    full[- ]time
    part[- ]time
    permanent
    fixed[- ]term
    werkstudent
    wochenstunden
    stunden (?:pro|/|die) woche
    tv-?l
    tvöd
    ausbildungsbeginn
    pensum
    equal.opportunity
    (?:salary|pay) range
    visa sponsorship
    """,
    r"\b",
    r"\b",
)
LIST_TITLE = _phrases(
    r"""
    stellen(?:angebote?|anzeigen?|markt|börse|ausschreibung(?:en)?)?
    karriere(?:seite|portal)?
    jobs?(?:angebote|börse|portal)?
    (?:jobs?|careers?|karriere|stellen\w*) (?:bei|at|in|&|und|and) .{2,60}
    careers?
    vacancies
    positions
    openings
    roles
    opportunities
    (?:the )?team
    arbeiten (?:bei|mit|in) .{2,60}
    work (?:with|at|for) .{2,60}
    (?:join|meet) .{2,60}
    we(?:['’]re| are) hiring
    now hiring
    wir suchen (?:dich|sie)
    ausbildung(?:splätze)?
    bewerbung
    (?:willkommen|welcome)\b.{0,60}
    startseite
    home
    """,
    r"^(?:(?:unsere|alle|aktuelle|offene|freie|current|open|our|all)\s+){0,4}",
    r"(?:\s*(?:\(\d+\)|\d+))?\W*$",
)
_AD = (
    r"\b(?:stelle(?:nangebot|nanzeige|nausschreibung)?|job(?:angebot|anzeige)?|position|anzeige|ausschreibung|vakanz|"
    r"vacancy|posting|role|ausbildungsplatz)\b[^.!?\n]{0,60}?\b"
)
ENDED = _phrases(
    rf"""
    {_AD}nicht mehr (?:verfügbar|online|aktiv|aktuell|ausgeschrieben|vakant|offen|vorhanden|existent)
    {_AD}(?:bereits|inzwischen|leider|schon|wurde) (?:\w+ )?(?:besetzt|vergeben|abgelaufen|geschlossen)
    {_AD}no longer (?:available|active|open|accepting|online)
    {_AD}(?:has|is|was)(?: already)?(?: been)?(?: already)? (?:filled|closed|expired|removed)
    {_AD}existiert nicht(?: mehr)?
    no longer accepting applications
    bewerbungsfrist (?:ist )?(?:bereits )?abgelaufen
    """
)
# What the title of a page says that should have answered 404.
NOT_FOUND = _phrases(
    r"""
    (?:seite|inhalt|stelle|job|stellenanzeige|stellenangebot)\b.{0,20} nicht gefunden
    (?:page|job|position|vacancy)\b.{0,20} not found
    (?:fehler|error) 404\b
    404\s*(?:[-–|:]|$|error|fehler|not found|nicht gefunden)
    (?:seite|stelle|stellenanzeige) (?:existiert|gibt es) nicht
    """,
    r"^\W*(?:hoppla|oops|ups|sorry|leider)?\W*(?:(?:die|diese|the|this|requested|angeforderte|gesuchte) ){0,3}",
)

_FORMS = r"""
    g?GmbH(?: ?& ?Co\.? ?(?:KG|OHG)(?:aA)?)?
    g?mbH
    g?AG(?: ?& ?Co\.? ?KG(?:aA)?)?
    SE(?: ?& ?Co\.? ?KG(?:aA)?)?
    KGaA
    UG(?: ?\(haftungsbeschränkt\))?
    OHG
    KG
    PartG(?: ?mbB)?
    e\. ?V\.
    e\. ?K\.
    eG
    [AK]d?öR
    Ges\.? ?m\.? ?b\.? ?H\.?
    S\. ?A\.
    Sàrl
    Ltd\.?
    Inc\.?
    LLC
"""
_JOINT = r"&|\+|–|-|und|für|der|des|am|im|von|of|the|and"
_LEGAL = "|".join(line.strip() for line in _FORMS.strip().splitlines())
# A name with its legal form: up to eight words before it, each with a capital or one that joins them.
COMPANY = re.compile(
    rf"(?<![\w.])((?:[A-ZÄÖÜ0-9][\w&+.'’-]{{0,40}})(?: (?:[A-ZÄÖÜ0-9(][\w&+.'’()-]{{0,40}}|{_JOINT})){{0,7}}"
    rf" (?:{_LEGAL}))(?!\w)"
)
