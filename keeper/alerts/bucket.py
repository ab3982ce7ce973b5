"""How fast Telegram may be written to. Pure: a bucket is a value, and time is an argument.

Limits after core.telegram.org/bots/faq, read 2026-11: about one message per second in a chat, 20 per minute in a group,
30 per second in all. Reports from the field say that more than some six per minute and chat end in 429.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Bucket:
    """`capacity` tokens at most, `per_s` new ones each second; `tokens` were there at `at`."""

    capacity: float
    per_s: float
    tokens: float
    at: float

    @classmethod
    def full(cls, capacity: float, per_s: float, now: float) -> Bucket:
        """A bucket that nobody took from."""
        return cls(capacity, per_s, capacity, now)

    def wait_s(self, now: float) -> float:
        """Seconds until a token is there; 0 when one is."""
        return max(0.0, (1.0 - self._level(now)) / self.per_s)

    def taken(self, now: float) -> Bucket:
        """After taking a token. Raises ValueError where there is none."""
        level = self._level(now)
        if level < 1.0 - 1e-9:
            raise ValueError("the bucket is empty")
        return replace(self, tokens=max(0.0, level - 1.0), at=max(self.at, now))

    def _level(self, now: float) -> float:
        return min(self.capacity, self.tokens + max(0.0, now - self.at) * self.per_s)


class Pace:
    """When each chat may be written to again. Edits count like messages. Times are seconds on one steady clock.

    A chat takes `per_minute` requests at once, but at most `per_s` each second, and then as many in each minute.
    """

    def __init__(self, per_s: float, per_minute: float) -> None:
        self._per_s = per_s
        self._per_minute = per_minute
        self._all: Bucket | None = None
        self._chats: dict[str, tuple[Bucket, Bucket]] = {}
        self._not_before: dict[str, float] = {}

    def wait_s(self, channel: str, now: float) -> float:
        """Seconds until `channel` may be written to; 0: now."""
        second, minute = self._of(channel, now)
        waits = (bucket.wait_s(now) for bucket in (self._overall(now), second, minute))
        return max(self._not_before.get(channel, now) - now, *waits)

    def take(self, channel: str, now: float) -> None:
        """Counts one request. Raises ValueError where `wait_s` is above 0."""
        second, minute = self._of(channel, now)
        overall = self._overall(now)
        self._chats[channel] = (second.taken(now), minute.taken(now))
        self._all = overall.taken(now)

    def hold(self, channel: str, until: float) -> None:
        """Telegram asked to leave `channel` alone until then."""
        self._not_before[channel] = until

    def _of(self, channel: str, now: float) -> tuple[Bucket, Bucket]:
        second = Bucket.full(1, self._per_s, now)
        return self._chats.get(channel) or (second, Bucket.full(self._per_minute, self._per_minute / 60, now))

    def _overall(self, now: float) -> Bucket:
        return self._all or Bucket.full(25, 25.0, now)
