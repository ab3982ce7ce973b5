"""Web addresses as people and payloads write them, and the tenant tokens inside them. Nothing here raises for a
hostile address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from lib.errors import Gone, Malformed, Refused
from lib.posting.contract import MAX_FIELD_CHARS

_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f\\<>\"]+")
_FILES = frozenset({"robots.txt", "sitemap.xml", "favicon.ico"})


@dataclass(frozen=True)
class Link:
    """An http(s) address: its host in lower case, its path's segments decoded, its query's first values."""

    host: str
    segments: tuple[str, ...]
    query: dict[str, str]


@lru_cache(maxsize=64)  # one address is shown to all sources, one after the other
def read_link(text: str) -> Link | None:
    """`text` as a web address, None when it is none. Without a scheme https is meant, as in an address bar."""
    parts = _split(text.strip() if "://" in text else f"https://{text.strip()}")
    if parts is None:
        return None
    try:
        query = {name: values[0] for name, values in parse_qs(parts.query, max_num_fields=100).items()}
    except ValueError:
        query = {}
    segments = tuple(unquote(segment) for segment in parts.path.strip("/").split("/"))
    return Link((parts.hostname or "").lower(), () if segments[0] in _FILES else segments, query)


def web_url(text: str | None) -> str | None:
    """`text` when it is a whole http(s) address that a browser would open, else None (`javascript:`, a cut one)."""
    address = (text or "").strip()
    return address if _split(address) else None


def address_on(url: str, host: str) -> str | None:
    """`url` without its fragment when it is an https address on exactly that host (no port, no user), else None."""
    parts = _split(url)
    if parts is None or parts.scheme != "https" or parts.netloc.lower() != host:
        return None
    return parts._replace(fragment="").geturl()


def check_hosted(url: str, vendor: str) -> None:
    """Raises Gone when an answer came from the vendor's own site: there, systems send whoever asks for a board that
    they do not host. `url`: where the answer came from after redirects; `vendor`: the domain that tenants are under.
    """
    link = read_link(url)
    if link is not None and link.host in (vendor, f"www.{vendor}"):
        raise Gone(f"no such board: redirected to {link.host}")


def _split(text: str) -> SplitResult | None:
    if len(text) >= MAX_FIELD_CHARS or not _VISIBLE.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


@dataclass(frozen=True)
class Tenants:
    """What a tenant token of one system looks like. A token goes into host names and paths, so only tokens of this
    form get there."""

    system: str
    form: re.Pattern[str]
    reserved: frozenset[str] = frozenset()

    def find(self, token: str | None) -> str | None:
        """`token` when it is of the right form, else None."""
        if token is None or token.lower() in self.reserved:
            return None
        return token if self.form.fullmatch(token) else None

    def check(self, tenant: str) -> str:
        """`tenant` itself. Raises Refused when it is not of the right form."""
        if self.find(tenant) is None:
            raise Refused(f"{tenant[:80]!r} cannot be a tenant of {self.system}")
        return tenant


@dataclass(frozen=True)
class Ids:
    """What the ids of one system look like. They go into addresses, so only ids of this form get there."""

    form: re.Pattern[str]

    def find(self, value: Any) -> str | None:
        """`value`, a text or a whole number, when it is of the right form, else None."""
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        return text if self.form.fullmatch(text) else None

    def check(self, value: Any) -> str:
        """The same as an id. Raises Malformed when it cannot be one."""
        found = self.find(value)
        if found is None:
            raise Malformed(f"{str(value)[:80]!r} cannot be the id of a posting")
        return found
