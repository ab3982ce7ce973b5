"""What a response is known by, so that the next request asks only for a change (RFC 9110, section 13)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_MAX_CHARS = 1024


class Validators(msgspec.Struct, frozen=True, kw_only=True):
    """ETag and Last-Modified exactly as the server sent them; None for what it did not send."""

    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Validators | None:
        """The validators in a response's lower-case headers, None when it has none that can be sent back."""
        found = cls(etag=_sendable(headers.get("etag")), last_modified=_sendable(headers.get("last-modified")))
        return found if found.etag or found.last_modified else None

    def headers(self) -> dict[str, str]:
        """The conditional request headers."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


def _sendable(value: str | None) -> str | None:
    return value if value and len(value) <= _MAX_CHARS and value.isascii() and value.isprintable() else None
