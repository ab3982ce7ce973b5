"""Putting a description together from the parts in which a payload has it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from lib.posting.contract import MAX_TEXT_CHARS


def paragraphs(plain: str) -> str:
    """Plain text as markup: blank lines part paragraphs, other line ends stay line ends."""
    parts = (part.strip() for part in plain.replace("\r\n", "\n").split("\n\n"))
    return "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in parts if part)


def section(heading: str | None, html: str) -> str:
    """`html` under its heading (plain text); nothing when there is no text below it."""
    if not html.strip():
        return ""
    return f"<h3>{escape(heading)}</h3>{html}" if heading else html


def joined(parts: Iterable[str | None]) -> str:
    """The parts as one description, cut at MAX_TEXT_CHARS."""
    return "\n".join(part for part in parts if part and part.strip())[:MAX_TEXT_CHARS]
