"""Companies with websites out of OpenStreetMap, by the Overpass API: what is asked, and what its answers say. Pure.

Source   an Overpass API server (VAKANZ_OVERPASS), such as https://overpass-api.de/api/interpreter
         Facts: wiki.openstreetmap.org (Overpass API, Overpass QL), dev.overpass-api.de (commons), read 2026-11. The
         data is under the ODbL: (c) OpenStreetMap contributors. Public servers ask for a few thousand requests a day
         at the most, one at a time, from a client that says who it is; who needs more runs a server of their own.
Shape    {"version", "generator", "osm3s", "elements": [{"type", "id", "lat", "lon" | "center", "tags"}], "remark"}
Errors   429 without a free slot; 504 when the server is too busy; 400 for a query that it cannot read; a query that
         runs out of time or memory is 200 with what was found so far and a `remark` that begins with "runtime error"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daemons.companies.squares import Square
from lib.errors import Malformed
from lib.net.messages import Request, Response
from lib.posting.contract import clean_text
from lib.posting.links import web_url

TIMEOUT_S = 60
MEMORY_BYTES = 268_435_456
MOST_ELEMENTS = 4_000
_SITE_KEYS = ("website", "contact:website", "url", "contact:url", "operator:website")
_NAME_KEYS = ("name", "official_name", "operator", "brand")
_MAX_NAME_CHARS = 200

# What employs people: keys with any value, then keys with these values only.
_KEYS = "office|craft|industrial|company|healthcare"
_VALUES: Mapping[str, str] = {
    "amenity": "hospital|clinic|nursing_home|social_facility|university|college|school|kindergarten|townhall|bank",
    "man_made": "works",
    "tourism": "hotel",
    "shop": "supermarket|wholesale|car|doityourself|department_store",
    "building": "industrial|office|hospital",
}
# Pages of these hosts are no sites of companies.
_PLATFORMS = frozenset(
    {
        "facebook.com", "fb.com", "fb.me", "wa.me", "t.me",
        "instagram.com", "twitter.com", "x.com", "linkedin.com", "xing.com", "youtube.com",
        "tiktok.com", "google.com", "goo.gl", "linktr.ee", "wikipedia.org", "wikidata.org", "yelp.com", "yelp.de",
        "tripadvisor.com", "tripadvisor.de", "booking.com", "airbnb.com", "jameda.de", "doctolib.de",
        "gelbeseiten.de", "dasoertliche.de", "herold.at", "local.ch", "lieferando.de", "ebay.de", "amazon.de",
    }
)  # fmt: skip
# Names that only mean something in somebody's own network (RFC 6761, 6762, 8375 and usage).
_LOCAL = frozenset(
    {"local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa", "test", "invalid", "onion"}
)
_HOST = re.compile(r"(?=.{4,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")


@dataclass(frozen=True)
class Company:
    """A company on the map: its site's host without www., the site's front page, and its name."""

    host: str
    url: str
    name: str | None


@dataclass(frozen=True)
class Answer:
    """Each site once. `cut`: why the answer is not whole, None when it is."""

    companies: tuple[Company, ...]
    cut: str | None = None


def request(server: str, square: Square) -> Request:
    """Asks a server for what has a website and employs people in a square."""
    return Request(
        url=server, params={"data": query(square)}, timeout_s=TIMEOUT_S + 30.0, max_bytes=30_000_000,
        documented_api=True,
    )  # fmt: skip


def query(square: Square) -> str:
    """In Overpass QL."""
    box = ",".join(f"{edge:.5f}" for edge in square.edges)
    sites = '[~"^((contact|operator):)?(website|url)$"~"."]'
    parts = [f'nwr[~"^({_KEYS})$"~"."]{sites};']
    parts += [f'nwr["{key}"~"^({values})$"]{sites};' for key, values in _VALUES.items()]
    head = f"[out:json][timeout:{TIMEOUT_S}][maxsize:{MEMORY_BYTES}][bbox:{box}];"
    return f"{head}({''.join(parts)});out tags center {MOST_ELEMENTS};"


def read(response: Response) -> Answer:
    """The companies in an answer. Raises Malformed when it is none."""
    body = response.json_object()
    elements, remark = body.get("elements"), body.get("remark")
    if not isinstance(elements, list):
        raise Malformed(f"no elements{f': {remark}'[:200] if isinstance(remark, str) else ''}")
    companies: dict[str, Company] = {}
    for element in elements:
        tags = element.get("tags") if isinstance(element, dict) else None
        for company in _read(tags) if isinstance(tags, dict) else ():
            held = companies.get(company.host)
            if held is None or (held.name is None and company.name is not None):
                companies[company.host] = company
    cut = None
    if isinstance(remark, str) and "error" in remark.lower():
        cut = clean_text(remark, 300)
    elif len(elements) >= MOST_ELEMENTS:
        cut = f"more than {MOST_ELEMENTS} elements"
    return Answer(tuple(companies.values()), cut)


def site(text: str) -> tuple[str, str] | None:
    """Host without www. and front page of the site that a tag names; None for other pages and what is none."""
    address = web_url(text if "://" in text else f"https://{text}")
    if address is None or ("@" in text and "://" not in text):  # an address for mail is that of its provider
        return None
    scheme, _, rest = address.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].lower()
    try:
        named = authority.partition(":")[0].rstrip(".").encode("idna").decode()
    except UnicodeError:
        return None
    host = named.removeprefix("www.")
    above = {".".join(host.split(".")[start:]) for start in range(host.count("."))}
    last = host.rpartition(".")[2]
    if not _HOST.fullmatch(host) or last.isdigit() or last in _LOCAL or above & _PLATFORMS:
        return None
    return host, f"{scheme.lower()}://{named}/"


def _read(tags: dict[str, Any]) -> Iterator[Company]:
    name = next((value for key in _NAME_KEYS if isinstance(value := tags.get(key), str) and value.strip()), None)
    for key in _SITE_KEYS:
        value = tags.get(key)
        for text in value.split(";")[:5] if isinstance(value, str) else ():
            found = site(text.strip())
            if found is not None:
                yield Company(*found, clean_text(name.strip(), _MAX_NAME_CHARS) if name else None)
