"""What the classifier answers with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

Taxonomy = Literal["imported", "seed"]


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """One occupation that a person may have; a code is None where nobody knows it. `confidence`: the probability that
    the ISCO-08 unit group is right."""

    title: str
    kldb: str | None
    isco: str | None
    soc: str | None
    confidence: float


class Classifier(Protocol):
    """What names occupations."""

    taxonomy: Taxonomy

    def rank(self, phrases: Sequence[str], text: str, language: str | None) -> list[list[Guess]]:
        """For each phrase the occupations that it may name, most probable first; none where none of its words is known.

        `text`: what the phrases are from. Titles are in `language`, de or en. Total: any strings are accepted.
        """
