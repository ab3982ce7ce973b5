"""What is asked and answered over HTTP about accounts, keys and sessions."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.callers import Scope, Tier
from api.passwords import LEAST_CHARS, MOST_CHARS

Password = Annotated[str, msgspec.Meta(min_length=LEAST_CHARS, max_length=MOST_CHARS)]
Days = Annotated[float, msgspec.Meta(gt=0, le=36_500)]


class NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to open; without a password nobody signs in to it."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._@+-]{0,99}\Z")]
    tier: Tier
    password: Password | None = None


class TierChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tier that an account has from now on."""

    tier: Tier


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make; without scopes it is good for all but admin, without days for ever."""

    label: Annotated[str, msgspec.Meta(max_length=200)] = ""
    scopes: Annotated[frozenset[Scope], msgspec.Meta(min_length=1)] | None = None
    expires_days: Days | None = None


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: int


class KeyMade(msgspec.Struct, frozen=True):
    """A new key, which is shown this one time."""

    id: int
    key: str


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to sign in."""

    name: Annotated[str, msgspec.Meta(max_length=100)]
    password: Annotated[str, msgspec.Meta(max_length=MOST_CHARS)]


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in. `csrf`: the header X-CSRF-Token of whatever changes something."""

    name: str
    tier: Tier
    csrf: str
