"""The description as safe markup and as plain text, and the language that it is written in."""

from __future__ import annotations

import re

from daemons.enrich.contract import Facts, Finding, Provenance, Scalar
from lib.text.html import clean_html, plain_text
from lib.text.language import detect

_CODE = re.compile(r"([a-zA-Z]{2})(?:[-_][a-zA-Z]{2,8})?(?!\w)")


class TextEnricher:
    """Cleans the markup, and tells the language: the stated one, unless the words clearly are of another."""

    name = "text"
    version = 1
    fields: tuple[str, ...] = ("description_html", "description_text", "language")

    def enrich(self, posting: Facts) -> Finding:
        """The finding for one posting. Without markup only the language can be known, from a teaser too."""
        html = clean_html(posting.html) if posting.html else None
        text = plain_text(html) if html else None
        language, language_from = self._language(posting, text)
        values: dict[str, Scalar] = {
            "description_html": html or None,
            "description_text": text or None,
            "language": language,
        }
        cleaned = Provenance(kind="derived", enricher=self.name, version=self.version)
        provenance = {name: cleaned for name in ("description_html", "description_text") if values[name]}
        if language_from is not None:
            provenance["language"] = language_from
        return Finding(values=values, provenance=provenance)

    def _language(self, posting: Facts, text: str | None) -> tuple[str | None, Provenance | None]:
        words = text or posting.teaser
        derived = detect(words) if words else None  # a title alone is too short to tell
        code = _CODE.match(posting.language or "")
        if code is not None and derived in (None, code[1].lower()):
            return code[1].lower(), Provenance(
                kind="stated", enricher=self.name, version=self.version, evidence=code[0]
            )
        if derived is None:
            return None, None
        return derived, Provenance(kind="derived", enricher=self.name, version=self.version)
