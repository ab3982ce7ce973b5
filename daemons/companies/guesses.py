"""Tenants that a company's name may have got in the common systems: the last resort, where nothing is linked. Pure.

Names are mostly written in one of few ways: joined, with hyphens, or the first word alone, without the legal form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from daemons.sources import SOURCES
from lib.errors import Refused
from lib.posting.contract import Source
from lib.text.gazetteer import fold

# Systems whose tenants are names, whose lists are one request, and that say plainly when they know no such tenant.
SYSTEMS = ("personio", "greenhouse", "lever", "ashby", "recruitee", "teamtailor", "workable", "bamboohr", "breezy")
MOST = 6
_LEGAL = re.compile(
    r"\b(?:gmbh(?: ?& ?co\.? ?kg(?:aa)?)?|ggmbh|mbh|ag|se|kg|kgaa|ohg|ug|e\.? ?[vgk]\.?|gbr|sa|s\.a\.|sàrl|sarl|inc\.?|"
    r"ltd\.?|llc|limited|corp\.?|corporation|plc|[bn]\.?v\.?|s\.r\.l\.|srl|gesellschaft|haftungsbeschränkt)(?!\w)",
    re.IGNORECASE,
)
_GENERIC = frozenset(
    {"group", "gruppe", "holding", "deutschland", "germany", "austria", "schweiz", "the", "company", "und", "and"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slugs(name: str, most: int = MOST) -> list[str]:
    """Up to `most` slugs that `name` may have become, the likeliest first."""
    bare = _LEGAL.sub(" ", name[:200]).replace("&", " ").replace("'", "").replace("’", "")
    found: list[str] = []
    for spelt in (bare, bare.casefold().translate(_UMLAUTS)):
        words = [word for word in _ascii(spelt).split() if word]
        kept = [word for word in words if word not in _GENERIC] or words
        for choice in (words, kept):
            found += ["".join(choice), "-".join(choice)]
        found += [kept[0]] if kept and len(kept[0]) > 3 else []
    found += [_ascii(name).replace(" ", "")]
    return [slug for slug in dict.fromkeys(found) if 2 <= len(slug) <= 60][:most]


def guess(name: str, systems: Sequence[str] = SYSTEMS) -> list[tuple[str, str]]:
    """(source, tenant) pairs worth a question, as far as their sources take such tenants."""
    known = [SOURCES[system] for system in systems if system in SOURCES]
    return [(source.name, slug) for source in known for slug in slugs(name) if _takes(source, slug)]


def _takes(source: Source, slug: str) -> bool:
    try:
        return source.detect(source.board_url(slug)) == slug
    except Refused:
        return False


def _ascii(text: str) -> str:
    return fold(text).encode("ascii", "ignore").decode()
