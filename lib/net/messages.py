"""What a source asks for and what it got: plain values, no sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import orjson

from lib.errors import Malformed

_FORGIVING = json.JSONDecoder(strict=False)


def read_json(body: bytes) -> Any:
    """The value that `body` holds. Raises Malformed when it is not JSON.

    What one value alone can spoil (bytes that are no UTF-8, half a surrogate pair, a raw control character, a number
    beyond double) does not cost the rest: such a body is read once more by a forgiving reader. A cut or endlessly
    nested one stays an error.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            return _FORGIVING.decode(body.decode(json.detect_encoding(body), "replace"))
        except (ValueError, RecursionError):
            raise Malformed(f"not JSON: {error}") from error


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request. `params` are appended to `url` and encoded by the client.

    `documented_api`: a public API that is called as its documentation says, so robots.txt of its host
    (written for page crawlers) is not asked.
    `secrets`: names of the operator's keys; the client writes each in for `{name}` in `url`, `params` and `headers`
    at the moment of sending, and nothing else ever holds them.
    `state`: what whoever reads the answer must know beside what was sent; it is not sent.
    `source`: on whose behalf it is sent; the operator may want it to go out by another way.
    `answers`: statuses of errors or redirects that come as answers, for whoever reads more from them.
    `assumed`: the address was put together from an id, in a way that neither the system's lists nor its documentation
    show: that nothing is there says nothing about what was asked for.
    """

    url: str
    method: Literal["GET", "POST"] = "GET"
    params: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    timeout_s: float = 30.0
    max_bytes: int = 50_000_000
    documented_api: bool = False
    secrets: tuple[str, ...] = ()
    state: str = ""
    source: str = ""
    answers: frozenset[int] = frozenset()
    assumed: bool = False

    def on_behalf_of(self, source: str) -> Request:
        """This request as one of `source`."""
        return msgspec.structs.replace(self, source=source)


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer. `headers` have lower-case names; `body` is decompressed; 2xx, 304 and the request's `answers`
    only, other statuses are errors before they get here. `url` is the final one after redirects."""

    request: Request
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body. Raises Malformed when it is not JSON."""
        return read_json(self.body)

    def json_object(self) -> dict[str, Any]:
        """The decoded body, which must be an object. Raises Malformed."""
        value = self.json()
        if not isinstance(value, dict):
            raise Malformed(f"a JSON object was expected, not {type(value).__name__}")
        return value

    def json_array(self) -> list[Any]:
        """The decoded body, which must be an array. Raises Malformed."""
        value = self.json()
        if not isinstance(value, list):
            raise Malformed(f"a JSON array was expected, not {type(value).__name__}")
        return value
