"""Keys of sources: put into a request at the moment of sending, and out of sight in all that comes back.

A source writes `{name}` where a key goes and lists the name in `Request.secrets`. Whatever leaves the client again
(addresses, headers, bodies, errors) has the name where the key was, also where a server repeats the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from lib.errors import Denied, Refused, SourceError
from lib.net.body import TooLarge
from lib.net.messages import Request, Response

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
# Shorter ones would be found by accident in bodies; others could end a header or an address.
_SHORTEST = 8
VALUE = re.compile(rf"[A-Za-z0-9._~+/=:-]{{{_SHORTEST},200}}", re.ASCII)


def filled(request: Request, key_of: Callable[[str], str | None]) -> tuple[Request, Veil]:
    """`request` with the keys that it names, and what hides them again.

    Raises Denied: a key is not set; Refused: the request would send it without encryption.
    """
    found = {name: key_of(name) for name in request.secrets}
    held = {name: key for name, key in found.items() if key}
    missing = [name for name in found if name not in held]
    if missing:
        example = ",".join(f"{name}=..." for name in missing)
        raise Denied(f"there is no key {' and no key '.join(missing)}: set VAKANZ_SOURCE_KEYS={example}")
    if not request.url.startswith("https://"):
        raise Refused("a key is sent by https only")
    raw = _filler(held, lambda value: value)
    sent = msgspec.structs.replace(
        request,
        url=_filler(held, lambda value: quote(value, safe=""))(request.url),
        params={name: raw(value) for name, value in request.params.items()},
        headers={name: raw(value) for name, value in request.headers.items()},
    )
    return sent, Veil(held)


class Veil:
    """Writes `{name}` wherever one of the keys stands, as it is, percent-encoded (also repeatedly), or escaped as in
    JSON or HTML."""

    def __init__(self, held: Mapping[str, str]) -> None:
        # The longest first: one key may be the beginning of another.
        held = dict(sorted(held.items(), key=lambda item: -len(item[1])))
        self._names = list(held)
        pattern = "|".join(f"({_spellings(value)})" for value in held.values())
        self._in_text = re.compile(pattern)
        self._in_bytes = re.compile(pattern.encode())
        self._beginnings = [(name, re.compile(_beginnings(value))) for name, value in held.items()]

    def covers(self, text: str) -> bool:
        """Whether a key stands in `text`."""
        return self._in_text.search(text) is not None

    def text(self, text: str) -> str:
        """`text` without keys."""
        return self._in_text.sub(self._name, text)

    def body(self, body: bytes) -> bytes:
        """`body` without keys."""
        return self._in_bytes.sub(lambda found: self._name(found).encode(), body)

    def response(self, request: Request, response: Response) -> Response:
        """The answer to `request`, which is the one that was never filled."""
        headers = {name: self.text(value) for name, value in response.headers.items()}
        return Response(
            request=request, url=self.text(response.url), status=response.status, headers=headers,
            body=self.body(response.body),
        )  # fmt: skip

    def error(self, error: SourceError) -> SourceError:
        """The same error without keys in its message and its head, where one may be cut, and in what it came from."""
        error.args = tuple(self._message(part) if isinstance(part, str) else part for part in error.args)
        error.url = self.text(error.url)
        if isinstance(error, TooLarge):
            error.head = self._message(error.head.decode("latin-1")).encode("latin-1")
        error.__cause__ = error.__context__ = None
        return error

    def _message(self, text: str) -> str:
        """Without keys, and without what a cut has left of one: of several at a place, the longest counts."""
        found = sorted(
            (match.start(), -match.end(), name)
            for name, pattern in self._beginnings
            for match in pattern.finditer(text)
        )
        parts, done = [], 0
        for start, end, name in found:
            if start >= done:
                parts += [text[done:start], f"{{{name}}}"]
            done = max(done, -end)
        return "".join(parts) + text[done:]

    def _name(self, found: re.Match[Any]) -> str:
        return f"{{{self._names[(found.lastindex or 1) - 1]}}}"


def _filler(held: Mapping[str, str], spell: Callable[[str], str]) -> Callable[[str], str]:
    """Puts spelt keys in for their names; anything else in braces stays."""
    places = re.compile("|".join(re.escape(f"{{{name}}}") for name in held))
    return lambda text: places.sub(lambda found: spell(held[found[0][1:-1]]), text)


def _spellings(value: str) -> str:
    return "".join(_spelling(sign) for sign in value)


def _beginnings(value: str) -> str:
    """The longest beginning that stands there, where it is long enough to be no accident."""
    rest = ""
    for sign in reversed(value[_SHORTEST:]):
        rest = f"(?:{_spelling(sign)}{rest})?"
    return _spellings(value[:_SHORTEST]) + rest


def _spelling(sign: str) -> str:
    if sign.isalnum():
        return sign
    code = f"{ord(sign):02x}"
    return rf"(?:\\?{re.escape(sign)}|%(?:25)*(?i:{code})|\\u00(?i:{code})|&\#(?:0*{ord(sign)}|(?i:x0*{code}));)"


def problems(entries: Sequence[str]) -> list[str]:
    """What is wrong with these `name=key` entries; no key is told."""
    found = []
    for number, entry in enumerate(entries, 1):
        name, equals, value = entry.partition("=")
        if not equals or not NAME.fullmatch(name):
            found.append(f"entry {number}: name=key expected, the name in small letters, digits and _")
        elif not VALUE.fullmatch(value):
            found.append(f"entry {number}: a key has 8 to 200 letters, digits or ._~+/=:-")
    return found
