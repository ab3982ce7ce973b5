"""Why a language model wrote nothing, or not all of it, in German and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from lib.people.tailoring.suggestions import Tongue
from lib.spend.client import Why

WHYS: Mapping[Why | Literal["unset", "cut", "unproven"], Mapping[Tongue, str]] = {
    "unset": {
        "de": "Hier ist kein Sprachmodell eingerichtet.",
        "en": "no language model is set up here",
    },
    "budget": {
        "de": "Das Budget für Sprachmodelle ist für diesen Monat verbraucht.",
        "en": "the month's budget for language models is spent",
    },
    "share": {
        "de": "Der Anteil Ihres Kontos am Budget dieses Monats ist verbraucht.",
        "en": "your account's share of the month's budget is spent",
    },
    "provider": {
        "de": "Das Sprachmodell antwortet gerade nicht.",
        "en": "the language model does not answer at the moment",
    },
    "busy": {
        "de": "Das Sprachmodell ist gerade ausgelastet.",
        "en": "the language model is busy at the moment",
    },
    "cut": {
        "de": "Die Antwort des Sprachmodells brach ab.",
        "en": "the language model's answer was cut off",
    },
    "unproven": {
        "de": "Nichts, was das Sprachmodell schrieb, ließ sich aus dem Lebenslauf belegen.",
        "en": "nothing that the language model wrote could be proven from the résumé",
    },
}


def explain(why: str, tongue: Tongue) -> str:
    """The reason that suggestions give, as a sentence in a person's language."""
    told = next((texts[tongue] for texts in WHYS.values() if texts["en"] == why), why)
    return f"{told[0].upper()}{told[1:].removesuffix('.')}."
