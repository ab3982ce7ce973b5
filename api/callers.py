"""Who asks: every request has one `Caller`, whether it came with a key, a cookie or neither."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

Tier = Literal["free", "paid", "partner", "admin"]
Scope = Literal["match", "jobs", "figures", "credits", "admin"]

TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
USUAL_SCOPES: Final[frozenset[str]] = frozenset(SCOPES) - {"admin"}


class Caller(NamedTuple):
    """An account as one request shows it. `key_id`: the key that it brought, None for a signed-in person."""

    account_id: int | None
    tier: Tier
    key_id: int | None
    scopes: frozenset[str]

    @property
    def may_spend(self) -> bool:
        """Whether credits may be spent for this caller."""
        return self.account_id is not None and self.tier != "free"


NOBODY: Final = Caller(None, "free", None, frozenset({"match", "jobs", "figures"}))


def scopes_of(tier: Tier) -> frozenset[str]:
    """All that an account of this tier may give to its keys, and has when it signs in."""
    return USUAL_SCOPES | {"admin"} if tier == "admin" else USUAL_SCOPES
