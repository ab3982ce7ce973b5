"""Whether a search goes on live, which costs credits. Decisions only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from lib.match.answer import Live

Tongue = Literal["de", "en"]
WHYS: Mapping[str, Mapping[Tongue, str]] = {
    "tier": {
        "de": "Live gesucht wird für zahlende Konten.",
        "en": "Live search is for paying accounts.",
    },
    "gateway": {
        "de": "Live-Suche ist hier nicht eingerichtet.",
        "en": "Live search is not set up here.",
    },
    "budget": {
        "de": "Das Budget für Live-Suche ist für diesen Monat verbraucht.",
        "en": "This month's budget for live search is spent.",
    },
    "share": {
        "de": "Der Anteil dieses Kontos an der Live-Suche ist vorerst verbraucht.",
        "en": "This account's share of live search is spent for now.",
    },
    "provider": {
        "de": "Die Anbieter der Live-Suche antworten gerade nicht.",
        "en": "The providers of live search do not answer at the moment.",
    },
    "busy": {
        "de": "Gerade suchen zu viele gleichzeitig live.",
        "en": "Too many search live at the moment.",
    },
    "place": {
        "de": "Live gesucht wird nur in Deutschland, Österreich und der Schweiz.",
        "en": "Live search covers Germany, Austria and Switzerland only.",
    },
    "failed": {
        "de": "Die Live-Suche ist an einem Fehler gescheitert.",
        "en": "The live search failed because of an error.",
    },
    "abandoned": {
        "de": "Die Live-Suche kam nicht rechtzeitig zum Ende.",
        "en": "The live search did not end in time.",
    },
}


class Thresholds(msgspec.Struct, frozen=True):
    """Enough: a best score of at least `score` (0 to 100), or at least `found` matches."""

    score: float
    found: int


def needs_discovery(best: float | None, found: int, thresholds: Thresholds) -> bool:
    """Whether what is there is too little. `best`: the best score, None without any match."""
    return found < thresholds.found and (best is None or best < thresholds.score)


def decide(needed: bool, *, may_spend: bool, gateway: bool, spent: bool) -> tuple[Live, str | None]:
    """What becomes of a search, and a word of WHYS where it cannot go on.

    `gateway`: whether there is one. `spent`: whether the budget is known to be.
    """
    if not needed:
        return "not_needed", None
    for possible, why in ((may_spend, "tier"), (gateway, "gateway"), (not spent, "budget")):
        if not possible:
            return "unavailable", why
    return "running", None


def explain(why: str, tongue: Tongue) -> str:
    """The sentence for a person; a word without one stays itself."""
    return WHYS[why][tongue] if why in WHYS else why
