"""Where the work is done, in the words of a description, a title or a place field: remote, hybrid or on site.

A refusal ("remote work will not be considered") outranks an offer, and a full offer outranks days at home. Some weeks a
year of work from elsewhere are a benefit and make no job remote.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from lib.text.passages import Span, matches, passages

Workplace: TypeAlias = Literal["remote", "hybrid", "onsite"]

_HOME = (
    r"(?:home[- ]?office|remote(?:[- ]work|arbeit)?|mobil\w{0,2} arbeit\w{0,3}|telearbeit"
    r"|from home|von zu ?hause|zuhause)"
)
_WEEKLY = r"(?:a|per|each|every|pro|in der|die|/) ?(?:week|woche)"
_FEW = r"\b(?:[1-4]|one|two|three|four|einen?|zwei|drei|vier)\b(?: ?(?:-|–|to|bis) ?[1-5])?[ -](?:days?|tagen?)"
_REFUSED = (
    r"(?:will not be considered|(?:is|are) not (?:possible|available|offered|supported|an option)|not possible"
    r"|nicht (?:möglich|vorgesehen|angeboten)|ausgeschlossen)"
)
_ONSITE = re.compile(
    r"(?<!why )\b(?:no|keine?|keinen) (?:möglichkeit (?:zum|für|auf|zu) )?(?:remote\b|home[- ]?office|mobiles? arbeit)"
    r"|\b(?:not|nicht) (?:a )?remote\b"
    rf"|(?<!fully )(?<!full )(?<!% )(?<!%)(?:hybrid|{_HOME})[^.,;\n]{{0,40}}{_REFUSED}"
    r"|\bon-?site only|fully on-?site|100 ?% (?:on-?site|vor ort|präsenz)|ausschließlich vor ort|präsenzstelle"
    r"|#li-onsite"
    rf"|(?:\b5|five|fünf) (?:days|tage) {_WEEKLY} (?:in (?:the|our) office|on-?site|im büro|vor ort)"
)
_FULLY = r"(?:100 ?%|fully|full|completely|entirely|komplett|vollständig|rein|ausschließlich|gänzlich)"
_REMOTE = re.compile(
    rf"(?<!not )(?<!nicht )(?<!nicht zu )(?<!n't ){_FULLY}[- ]"
    r"(?:remote|ortsunabhängig|(?:im |aus dem |in |from )?home[- ]?office|von zu ?hause|from home)"
    r"(?![^.,;\n]{0,30}(?:\bnicht\b|\bnot\b))"
    r"|remote[- ]first(?! (?:start-?ups|companies|businesses|customers|clients))"
    r"|\bwork(?:ing)? from anywhere|\bremote (?:position|role|job|opportunity|stelle)\b"
    r"|(?:role|position|job|stelle) (?:is|ist) (?:a )?remote\b"
    r"|(?:deutschland|bundes|österreich|schweiz|europa)weit(?:e[rs]?)? remote|remote,? (?:deutschland|bundes)weit"
    r"|#li-remote"
)
# "Work from anywhere for four weeks a year", "two weeks of fully remote work".
_SPELL = (
    r"\b(?:\d+|an?|one|two|three|four|few|several|some|einen?|zwei|vier)"
    r"[- ](?:days?|weeks?|months?|tagen?|wochen?|monaten?)"
)
_SPELL_BEFORE = re.compile(rf"{_SPELL}\b[^.,;\n]{{0,25}}$")
_SPELL_BEHIND = re.compile(rf"[^.,;\n]{{0,30}}{_SPELL}")
_HYBRID = re.compile(
    r"\bhybrid(?:e[srnm]?)?[- ](?:work|arbeit|model|modell|role(?! combin)|position|setup|office|schedule|arrangement)"
    r"|\bhybrid (?:in|from|aus)\b|\b(?:work(?:ing)?|arbeit\w{0,3}(?: wir| sie| du)?) hybrid\b|#li-hybrid"
    r"|(?:home[- ]?office|remote)[- ]?(?:work )?(?:möglich|option|anteil|tage|regelung|days|(?:is )?possible)"
    rf"|(?:tagen?|days?|%)[^.,;\n]{{0,25}}{_HOME}(?![^.\n]{{0,30}}(?:abroad|ausland))"
    rf"|{_HOME}[^.,;\n]{{0,20}}{_FEW}"
    rf"|(?:möglichkeit|option|optional|gelegentlich|possibility)[^.,;\n]{{0,30}}{_HOME}|mobile[sm] arbeiten"
    r"|teilweise (?:remote|home|im home)|part(?:ly|ially) (?:remote|from home)"
    rf"|{_FEW} {_WEEKLY}[^.,;\n]{{0,20}}(?:office|büro|on-?site|vor ort)"
    rf"|(?:office|büro)[^.,;\n]{{0,20}}{_FEW} {_WEEKLY}"
    r"|flexible arbeitszeiten[^.\n]{0,40}home[- ]?office|^\W{0,4}home[- ]?office\W{0,3}$",
    re.MULTILINE,
)
_WORDS = (
    "remote", "home", "hybrid", "mobil", "on-site", "onsite", "vor ort", "anywhere", "ortsunabh", "präsenz", "hause",
    "in the office", "in our office", "im büro", "telearbeit",
)  # fmt: skip
_REMOTE_NAME = re.compile(
    r"(?<![\w-])(?<!no )(?<!not )(?<!kein )"
    r"(?:remote(?! (?:sensing|control|desktop|hands|access|monitoring|diagnos|support|maintenance|service))"
    r"|home[- ]?office|telearbeit)(?!\w)"
)
_HYBRID_NAME = re.compile(
    r"(?<![\w-])hybrid(?![- ]?(?:cloud|fahrzeug|antrieb|vehicle|powertrain|app|drive|event|infra|it\b)|\w)"
)


def find_workplace(text: str) -> tuple[Workplace, Span] | None:
    """What a text in small letters says, and where it says so; None when it does not say."""
    spans = passages(text, _WORDS)
    if not spans:
        return None
    for match in matches(_ONSITE, text, spans):
        return "onsite", match.span()
    for match in matches(_REMOTE, text, spans):
        start, end = match.span()
        if not (_SPELL_BEFORE.search(text, max(0, start - 60), start) or _SPELL_BEHIND.match(text, end, end + 60)):
            return "remote", (start, end)
    for match in matches(_HYBRID, text, spans):
        return "hybrid", match.span()
    return None


def name_workplace(words: str) -> tuple[Workplace, Span] | None:
    """What a title or a place field in small letters says by one word ("Developer (Remote)")."""
    if match := _HYBRID_NAME.search(words):
        return "hybrid", match.span()
    if match := _REMOTE_NAME.search(words):
        return "remote", match.span()
    return None
