"""Passwords: kept as scrypt's hash with its parameters and salt, so that stronger ones may follow."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from lib.errors import VakanzError

LEAST_CHARS: Final = 12
MOST_CHARS: Final = 256
SALT_BYTES: Final = 16
# 16 MiB and about 0.2 s of one core, as OWASP advises (password storage, read 2026-11): N = 2^14, r = 8, p = 5.
_COST, _BLOCK, _LANES = 2**14, 8, 5
_MEMORY = 64 * 2**20
_NOBODYS: Final = b"\0" * SALT_BYTES


class UnusablePassword(VakanzError):
    """A new password is too short or too long."""


def seal(password: str, salt: bytes) -> str:
    """What is kept of a new password. `salt`: 16 random bytes. Takes a fifth of a second. Raises UnusablePassword."""
    if not LEAST_CHARS <= len(password) <= MOST_CHARS:
        raise UnusablePassword(f"a password has {LEAST_CHARS} to {MOST_CHARS} characters")
    mark = _scrypt(password, salt, _COST, _BLOCK, _LANES)
    return "$".join(("scrypt", str(_COST), str(_BLOCK), str(_LANES), _spell(salt), _spell(mark)))


def matches(password: str, sealed: str | None) -> bool:
    """Whether it is the password that was sealed. None is nobody's, and takes as long."""
    if sealed is None:
        _scrypt(password, _NOBODYS, _COST, _BLOCK, _LANES)
        return False
    _, cost, block, lanes, salt, mark = sealed.split("$")
    tried = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(tried, base64.b64decode(mark))


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    given = password[:MOST_CHARS].encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=salt, n=cost, r=block, p=lanes, maxmem=_MEMORY, dklen=32)


def _spell(value: bytes) -> str:
    return base64.b64encode(value).decode()
