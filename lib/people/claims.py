"""What a person says of themselves, sentence by sentence, and the skills that the sentences claim.

A skill that is denied is none: "keine Erfahrung mit Java oder Python", "I have never used SAP", "Excel: keine".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib.people.reading import Skill
from lib.text.skills import MAX_CHARS, find_skills

_SHOWN_CHARS = 300
_MAX_SENTENCES = 3_000
_END = re.compile(
    r"(?:(?<!\b\d)(?<!\b\d\d)(?<!\bDr)(?<!\bDipl)(?<!\bIng)(?<!\bSc)(?<!\bca)(?<!\bSt)[.](?=\s+[A-ZÄÖÜ\d])"
    r"|[!?](?=\s+[A-ZÄÖÜ\d])|[\n;•·|])\s*"
)
_TURN = re.compile(r"(?i)[,\s]+(?=(?:aber|jedoch|sondern|dafür|doch|but|however|though|yet|instead)\b)")
_DENIED = re.compile(
    r"(?i)\b(?:(?P<own>keine?\s[\w-]+(?:erfahrung(?:en)?|kenntnisse)\s*,)"
    r"|kein(?:e|en|er|em|erlei)?\s(?:[\w-]+\s){0,2}?(?:[\w-]*erfahrung(?:en)?|[\w-]*kenntnisse?n?|wissen|ahnung)"
    r"|(?:noch\s)?nie(?:mals)?(?!\w)|never|neither|weder"
    r"|(?:no|without(?:\sany)?|lack(?:ing)?(?:\sof)?)\s(?:[\w-]+\s){0,2}?(?:experience|knowledge|skills?|background)"
    r"|ohne\s(?:[\w-]+\s)?(?:erfahrung|kenntnisse)|not\s(?:yet\s)?(?:familiar|experienced|proficient|used|worked|know)"
    r"|(?:(?:do|does|did|have|has|can)\s?not|(?:do|does|did|have|has|ca)n['’]t)(?!\w)(?!\sonly))"
)
_DENIED_BEHIND = re.compile(
    r"(?i)(?:\bkein(?:e|en|er|erlei)?(?:\s(?:erfahrung(?:en)?|kenntnisse?|ahnung))?|\bnicht|\bnone|(?<=:)\s*no|\bno\sexperience)\W*$"
)
_BEHIND_CHARS = 60


def sentences(text: str) -> Iterator[str]:
    """The sentences and lines of `text`, stripped, none empty; of a text without an end the first ones."""
    at, count = 0, 0
    text = text[:MAX_CHARS]
    for end in _END.finditer(text):
        sentence = text[at : end.start() + 1].strip().strip(";•·|").strip()
        at = end.end()
        if sentence:
            yield sentence
            count += 1
            if count >= _MAX_SENTENCES:
                return
    if rest := text[at:].strip():
        yield rest


def claimed(sentence: str) -> str:
    """The parts of a sentence that deny nothing, joined by spaces; may be empty."""
    return " ".join(kept for clause in _TURN.split(sentence) if (kept := _undenied(clause)))


def _undenied(clause: str) -> str:
    while behind := _DENIED_BEHIND.search(clause, max(0, len(clause) - _BEHIND_CHARS)):
        clause = _before_denied(clause, behind)
    kept, at = [], 0
    for denial in _DENIED.finditer(clause):
        kept.append(clause[at : denial.start()].strip())
        at = denial.end()
        if denial["own"] is None:  # it denies all that follows
            return " ".join(kept).strip()
    return " ".join([*kept, clause[at:]]).strip()


def _before_denied(clause: str, denial: re.Match[str]) -> str:
    """What a denial at the end leaves: what stands before the last comma, "Excel gut, SAP keine". A colon speaks of a
    whole list, "Excel, SAP: keine", and a comma right before the denial of who knows what."""
    said = clause[: denial.start()].rstrip()
    kept = said.rpartition(",")[0]
    return kept if said[-1:] not in (":", ",") or (said[-1:] == ":" and ":" in kept) else ""


def find_claims(text: str) -> list[Skill]:
    """Each claimed skill once, with the first sentence that claims it, in the order of the text. Total; linear time."""
    found: dict[str, Skill] = {}
    for sentence in sentences(text):
        for name in sorted(find_skills(claimed(sentence))):
            found.setdefault(name, Skill(name, sentence[:_SHOWN_CHARS]))
    return list(found.values())
