"""Further addresses of one job ad, as sites have them: what leads there, and which page is meant."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_ENGLISH = "/en"
_FORMS = 8


def further_links(url: str, key: int) -> list[str]:
    """Where a list leads to beside the ad's own page; `key` says which of the forms this ad has."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    forms = (
        [f"{scheme}://{host.removeprefix('www.')}/{path}"],
        [f"http://{host}/{path}"],
        [f"{url}/"],
        [f"{url}?utm_source=liste&utm_medium=web", f"{url}?gclid={key}"],
        [f"{url}?type=98", f"{url}?print=1"],
        [f"{scheme}://{host}{_ENGLISH}/{path}"],
        [f"{url}.pdf"],
        [],
    )
    return [] if url.endswith(".pdf") else forms[key % _FORMS]


def meant(path: str) -> str:
    """The path of the ad's own page."""
    return path.removeprefix(_ENGLISH).rstrip("/") or "/"


def is_print_view(query: Mapping[str, str]) -> bool:
    """Whether the page is asked for without its menus."""
    return query.get("type") == "98"


def language_links(url: str) -> str:
    """What the head of a page in two languages says of the other one."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    english = f"{scheme}://{host}{_ENGLISH}/{path}"
    return (
        f'<link rel="alternate" hreflang="de" href="{escape(url)}">'
        f'<link rel="alternate" hreflang="en" href="{escape(english)}">'
    )


def has_languages(key: int) -> bool:
    """Whether this ad has a page in English."""
    return key % _FORMS == 5
