"""Addresses of proxies, whose credentials nothing shows."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from urllib.parse import unquote

from yarl import URL


class Credentials(str):
    """The value of a Proxy-Authorization header. It goes onto the wire as it is, and shows nothing to people."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'Basic ...'"


class Proxy:
    """`name` is what people, logs and the database call it: host and port, numbered where several share them.

    `url` has no credentials in it; they are in `credentials`, None for a proxy without.
    """

    __slots__ = ("credentials", "name", "url")

    def __init__(self, name: str, url: URL, credentials: Credentials | None) -> None:
        self.name = name
        self.url = url
        self.credentials = credentials

    def __repr__(self) -> str:
        return f"Proxy({self.name})"


def parse(entries: Sequence[str]) -> list[Proxy]:
    """Proxies out of `http://user:password@host:port`. Raises ValueError with all problems, none of which shows what
    was written."""
    wrong = problems(entries)
    if wrong:
        raise ValueError("; ".join(wrong))
    urls = [URL(entry) for entry in entries]
    used: Counter[str] = Counter()
    found = []
    for url in urls:
        place = f"{url.host}:{url.port}"
        used[place] += 1
        name = place if used[place] == 1 else f"{place}#{used[place]}"
        found.append(Proxy(name, url.with_user(None).origin(), _credentials(url)))
    return found


def problems(entries: Sequence[str]) -> list[str]:
    """What is wrong with these addresses; only their numbers are told."""
    found = [f"entry {number}: {wrong}" for number, entry in enumerate(entries, 1) if (wrong := _problem(entry))]
    if len(set(entries)) < len(entries):
        found.append("the same proxy stands there twice")
    return found


def _problem(entry: str) -> str | None:
    try:
        url = URL(entry)
        host, port = url.host, url.explicit_port
    except ValueError:
        return "no URL; percent-encode special characters of a password"
    if url.scheme != "http" or not host or not port:
        return "http://user:password@host:port expected"
    if url.path not in ("", "/") or url.query_string or url.fragment:
        return "nothing is expected after the port"
    user, password = unquote(url.raw_user or ""), unquote(url.raw_password or "")
    if ":" in user or not (user + password).isprintable():
        return "a user name without colons, and printable characters only"
    return None


def _credentials(url: URL) -> Credentials | None:
    if url.raw_user is None:
        return None
    pair = f"{unquote(url.raw_user)}:{unquote(url.raw_password or '')}".encode()
    return Credentials(f"Basic {base64.b64encode(pair).decode()}")
