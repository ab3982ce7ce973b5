"""Words that were cut at the end of a line, made whole again.

While lines are on their way, a soft hyphen at a line's end says that its last word is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

CUT = "\u00ad"
HYPHENS = "-\u00ad\u2010"
_PAIRED = re.compile(r"(?:und|oder|bzw\.?|sowie|bis|and|or)\b|[/,]")  # "Deutsch- und ..." is no cut word


def marked(line: str) -> str:
    """The line, with a soft hyphen in place of the hyphen that cuts its last word."""
    return line[:-1] + CUT if line[-1:] and line[-1] in HYPHENS and line[-2:-1].isalpha() else line


def joined(lines: Iterable[str]) -> str:
    """Marked lines of a paragraph as one text, one line each but for those that go on within a word."""
    parts: list[str] = []
    cut = False
    for line in lines:
        if parts:
            parts.append(_joint(line) if cut else "\n")
        cut = line.endswith(CUT)
        parts.append(line[:-1] if cut else line)
    if cut:
        parts.append("-")
    return "".join(parts).replace(CUT, "-")


def _joint(line: str) -> str:
    """What belongs between a word that was cut and the line after it."""
    if _PAIRED.match(line):
        return "- "
    return "" if line[:1].islower() else "-"
