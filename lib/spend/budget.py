"""What may be spent: the budget of a month, one account's fair share of it, and where a month is heading. Pure.

Months and days are those of UTC. A credit is the provider's unit; the house is an account without a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from lib.errors import VakanzError

if TYPE_CHECKING:
    from lib.life.config import Config

TOLD = (70, 90)  # shares of a budget in percent that a person is told about, each once per period
RENEWED = timedelta(days=7)  # what was bought is asked for again no sooner
LATELY = timedelta(days=7)


class NotGranted(VakanzError):
    """Nothing may be bought now. `retry_after_s`: when asking again can help."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Spent(NotGranted):
    """The month's budget has no room for this."""


class ShareSpent(NotGranted):
    """The account's fair share has no room for this, though the budget may have."""


class Full(NotGranted):
    """As many calls to the provider are in flight as may be, over all gateways."""


class Pending(NotGranted):
    """The same request, or the same record by another one, is being bought or was bought a moment ago: look again."""


class Shut(NotGranted):
    """The operation cost more than its ceiling once, and waits until an operator has looked at it."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A call that somebody wants to pay for. `credits`: the most that it may cost. `account_id` None: the house pays.

    `record` names what the answer is about, as in indeed:4f2a..., where it is about one thing. `places`: calls to the
    provider that may be in flight, over all gateways. After `lease_s` without an end the call is presumed to have been
    charged.
    """

    account_id: int | None
    provider: str
    operation: str
    credits: int
    request_id: str
    search_id: UUID | None = None
    record: str | None = None
    places: int
    lease_s: float


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the operator decided. `monthly`: credits of a month.

    `floor`: credits that an account may use each day and month while the budget lasts, however many accounts there are.
    `burst`: how many times an equal part one account may take, for not all of them come every day.
    """

    monthly: int = 200_000
    floor: int = 100
    burst: float = 4.0


def rules_of(config: Config) -> Rules:
    """The rules as they are set."""
    return Rules(
        monthly=config.credits_monthly,
        floor=config.credits_floor,
        burst=config.credits_burst,
    )


@dataclass(frozen=True)
class Share:
    """The most credits that one account may have used today and this month, what is reserved included."""

    today: int
    month: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a share depends on. `spoken_for`: used and reserved this month; `today`: the part of it of today.

    `active`: how many accounts used credits lately.
    """

    granted: int
    spoken_for: int
    today: int
    active: int


def fair_share(facts: Facts, rules: Rules, day: date) -> Share:
    """One account's share: `burst` times an equal part of the month, and of what this morning's rest gives each day.

    The house has none: what it renews serves everybody.
    """
    accounts = max(1, facts.active)
    morning = max(0, facts.granted - facts.spoken_for + facts.today)
    days_left = (next_period(day) - day).days
    return Share(
        today=min(facts.granted, max(rules.floor, int(morning / days_left * rules.burst / accounts))),
        month=min(facts.granted, max(rules.floor, int(facts.granted * rules.burst / accounts))),
    )


def period_of(moment: date) -> date:
    """The first day of the month, which is the period's name."""
    return date(moment.year, moment.month, 1)


def next_period(moment: date) -> date:
    """The first day of the month after."""
    return date(moment.year + moment.month // 12, moment.month % 12 + 1, 1)


def start_of(day: date) -> datetime:
    """The moment a day begins."""
    return datetime.combine(day, time(), UTC)


def forecast(used: int, by_day: Mapping[date, int], now: datetime) -> int:
    """What will be used at the month's end, should it go on like in the last seven days of this month.

    `used` and `by_day` are this month's. The first day counts as a whole one.
    """
    since = max(start_of(period_of(now)), start_of(now.date() - LATELY))
    lately = sum(spent for day, spent in by_day.items() if day >= since.date())
    days = max(1.0, (now - since) / timedelta(days=1))
    left = (start_of(next_period(now)) - now) / timedelta(days=1)
    return used + round(lately / days * left)
