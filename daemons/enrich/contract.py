"""The contract between an enricher (pure) and the actor that hosts it.

An enricher reads the facts of one posting and finds values for its own columns. It never does I/O, never hangs
whatever the input, and gives the same finding for the same facts. A change of `version` makes it read the past again.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import msgspec

from lib.posting.contract import Remote, Salary

Scalar: TypeAlias = str | int | float | bool | None
Span: TypeAlias = tuple[int, int]

MAX_TEXT_CHARS = 200_000
MAX_EVIDENCE_CHARS = 160


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one posting: the board's own statements, and `text`, the plain text that enricher `text` wrote.

    `html` is the description's markup; `places` in the payload's own words, main one first; `country` is ISO 3166
    alpha-2 upper case; `language` is ISO 639-1 lower case; `employment_type` is the board's own word;
    `teaser` is how a text begins that a list cut.
    """

    id: int
    title: str
    company: str | None = None
    html: str | None = None
    text: str | None = None
    places: tuple[str, ...] = ()
    country: str | None = None
    remote: Remote | None = None
    employment_type: str | None = None
    language: str | None = None
    teaser: str | None = None
    salary: Salary | None = None
    department: str | None = None


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a value comes from: `stated` by the payload, or `derived` by us.

    `span` is [start, end) in the plain text (characters) where the words stand; `evidence` are those words, cut at
    MAX_EVIDENCE_CHARS.
    """

    kind: Literal["stated", "derived"]
    enricher: str
    version: int
    span: Span | None = None
    evidence: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The values of all of an enricher's columns (None: not known), and the provenance of those that are known."""

    values: dict[str, Scalar]
    provenance: dict[str, Provenance]


class Enricher(Protocol):
    """One pure reading of a posting. `fields` are its columns, no other enricher's."""

    name: str
    version: int
    fields: tuple[str, ...]

    def enrich(self, posting: Facts) -> Finding:
        """The finding for one posting. Raises nothing, for any facts."""
