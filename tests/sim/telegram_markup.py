"""Telegram's HTML: which tags it takes, and the plain text that it shows (core.telegram.org/bots/api, read 2026-11)."""

from __future__ import annotations

import re
from html import unescape

_TAGS = frozenset(
    ["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "tg-spoiler", "a", "code", "pre", "blockquote", "span"]
)
_MARKUP = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s[^<>]*)?)>|<")


class BadMarkup(ValueError):
    """Why it cannot be parsed, in Telegram's words."""


def parse_html(text: str) -> str:
    """The plain text of a message. Raises BadMarkup."""
    plain, stack, done = [], [], 0
    for match in _MARKUP.finditer(text):
        plain.append(text[done : match.start()])
        done = match.end()
        closing, name = match[1], (match[2] or "").lower()
        offset = len(text[: match.start()].encode())
        if name not in _TAGS:
            raise BadMarkup(f'Unsupported start tag "{name}" at byte offset {offset}')
        if not closing:
            stack.append(name)
        elif not stack or stack.pop() != name:
            raise BadMarkup(f"Unexpected end tag at byte offset {offset}")
    if stack:
        raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{stack[-1]}"')
    return unescape("".join((*plain, text[done:])))
