"""What a site reserves: Content-Signal in its robots.txt, and the TDM Reservation Protocol. Pure.

Facts: contentsignals.org (yes, no or not said, per use), W3C TDMRep final report of 2024-05-10 (a file at
/.well-known/tdmrep.json, a response header, a meta element; what is nearer to the page wins; whatever breaks the
protocol counts as not said).

Postings are indexed for search and their texts are put into a model to compare them with profiles. So `search=no` and
`ai-input=no` forbid them to us. `ai-train=no` does not: no model is trained on them. A TDM reservation forbids them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

TDM_FILE = "/.well-known/tdmrep.json"
_OUR_USES = ("search", "ai-input")
_MAX_RULES = 1_000
_SIGNAL = re.compile(r"(search|ai-input|ai-train)\s*=\s*(yes|no)\b", re.IGNORECASE)
_META = re.compile(r"""<meta\b[^>]{0,500}?\bname\s*=\s*["']?tdm-reservation["']?[^>]{0,500}?>""", re.IGNORECASE)
_CONTENT = re.compile(r"""\bcontent\s*=\s*["']?\s*([01])\s*["'\s/>]""", re.IGNORECASE)
_HEAD_CHARS = 200_000


def forbidden_by_signals(signals: Sequence[tuple[str, str]], url: str) -> str | None:
    """Why the site's content signals keep us from `url`, None when they do not.

    `signals`: the values of the Content-Signal lines that are meant for us, each with the path that it begins with
    ("" for the whole site). The longest path that fits wins, use by use.
    """
    path = urlsplit(url).path or "/"
    said: dict[str, tuple[int, str]] = {}
    for where, value in signals[:_MAX_RULES]:
        if not path.startswith(where):
            continue
        for use, answer in _SIGNAL.findall(value):
            if len(where) >= said.get(use.lower(), (-1, ""))[0]:
                said[use.lower()] = (len(where), answer.lower())
    refused = [use for use in _OUR_USES if said.get(use, (0, ""))[1] == "no"]
    return f"Content-Signal: {', '.join(f'{use}=no' for use in refused)}" if refused else None


def read_tdm_file(body: bytes) -> list[tuple[str, bool]]:
    """The rules of a tdmrep.json: location patterns, and whether they are reserved. Anything else gives no rules."""
    try:
        rules = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    found = []
    for rule in rules[:_MAX_RULES] if isinstance(rules, list) else []:
        where = rule.get("location") if isinstance(rule, dict) else None
        reserved = _flag(rule.get("tdm-reservation")) if isinstance(rule, dict) else None
        if isinstance(where, str) and reserved is not None and len(where) <= 2_000:
            found.append((where, reserved))
    return found


def reserved(rules: Sequence[tuple[str, bool]], url: str, headers: Mapping[str, str], head: str = "") -> bool:
    """Whether text and data mining of the page at `url` is reserved. `headers`: lower-case names; `head`: its HTML."""
    meta = _META.search(head[:_HEAD_CHARS])
    flag = _CONTENT.search(meta[0]) if meta else None
    if flag is not None:
        return flag[1] == "1"
    said = _flag(headers.get("tdm-reservation"))
    if said is not None:
        return said
    # As robots.txt does it: the longest pattern that fits.
    fitting = [(len(where), flag) for where, flag in rules if _fits(where, urlsplit(url).path or "/")]
    return max(fitting, default=(0, False))[1]


def _fits(pattern: str, path: str) -> bool:
    """Whether `path` begins as `pattern` says: `*` is any run of characters, a last `$` the end."""
    whole = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for index, piece in enumerate(rest):
        if whole and index == len(rest) - 1:
            return len(path) - len(piece) >= at and path.endswith(piece)
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not whole or at == len(path)


def _flag(value: Any) -> bool | None:
    known = {"0": False, "1": True}
    return known.get(str(value).strip()) if isinstance(value, str | int) and not isinstance(value, bool) else None
