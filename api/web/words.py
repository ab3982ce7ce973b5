"""What the pages say, in German and English: two catalogues of the same keys, read when the first page is shown."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

Tongue = Literal["de", "en"]
TONGUES: tuple[Tongue, ...] = get_args(Tongue)
_DEFAULT: Tongue = "de"
_FOREIGN: Tongue = "en"  # for who reads neither
_MOST_ACCEPTED = 20
_GERMAN = str.maketrans(",.", ".,")
_CURRENCIES = {"EUR": "€", "CHF": "CHF", "USD": "$", "GBP": "£"}


class Words:
    """One language's texts, numbers and dates."""

    def __init__(self, tongue: Tongue, texts: Mapping[str, str]) -> None:
        self.tongue = tongue
        self._texts = texts

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, its fields filled in. Raises KeyError for a key that the catalogue does not have."""
        return self._texts[key].format(**values)

    def count(self, key: str, number: int) -> str:
        """A text about `number` things: the key's form `one` or `many`, with the number as {n}."""
        return self(f"{key}.{'one' if number == 1 else 'many'}", n=self.number(number))

    def known(self, group: str, value: str) -> str:
        """What a value of a closed list is called; the value itself when it is none of ours."""
        return self._texts.get(f"{group}.{value}", value)

    def number(self, value: float, digits: int = 0) -> str:
        """With separators, as it is written in the language."""
        text = f"{value:,.{digits}f}"
        return text.translate(_GERMAN) if self.tongue == "de" else text

    def when(self, moment: datetime) -> str:
        """The day of a moment as people write it, in UTC."""
        return self.day(moment.astimezone(UTC).date())

    def day(self, day: date) -> str:
        """A day as people write it."""
        return f"{day.day}.{day.month}.{day.year}" if self.tongue == "de" else f"{day:%d %b %Y}".lstrip("0")

    def ago(self, moment: datetime, now: datetime) -> str:
        """How long ago a day was."""
        days = max((now.astimezone(UTC).date() - moment.astimezone(UTC).date()).days, 0)
        return self("ago.today") if days == 0 else self.count("ago", days)

    def pay(self, low: float | None, high: float | None, currency: str | None = "EUR") -> str:
        """A span of money; empty when nothing is known."""
        amounts = [self.number(amount) for amount in dict.fromkeys((low, high)) if amount is not None]
        money = _CURRENCIES.get(currency or "", currency or "")
        return f"{' – '.join(amounts)} {money}".strip() if amounts else ""


@cache
def words(tongue: Tongue) -> Words:
    """The catalogue of a language."""
    text = files("api.web").joinpath("texts", f"{tongue}.toml").read_text(encoding="utf-8")
    return Words(tongue, dict(_flat(tomllib.loads(text))))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def negotiate(accepted: str) -> Tongue:
    """The language for an Accept-Language header: the one that is liked best; German when nothing is said."""
    liked: dict[str, float] = {}
    for item in accepted[:1_000].split(",")[:_MOST_ACCEPTED]:
        tag, _, quality = item.strip().partition(";")
        name = tag.partition("-")[0].strip().lower()
        liked[name] = max(_quality(quality), liked.get(name, 0.0))
    wanted = [tongue for tongue in TONGUES if liked.get(tongue, 0.0) > 0]
    if wanted:
        return max(wanted, key=lambda tongue: liked[tongue])
    return _FOREIGN if any(name not in ("", "*") for name in liked) else _DEFAULT


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    return float(value) if value.strip().replace(".", "", 1).isdecimal() else 0.0
