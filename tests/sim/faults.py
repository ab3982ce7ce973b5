"""Misbehaviour on request: what goes wrong, where, how often. Decisions only; the server carries them out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from random import Random
from typing import Any, get_args

from tests.sim.wire import SHOWINGS, Showing

KINDS: Mapping[str, str] = {
    "rate_limited": "429 with Retry-After: `retry_after_s` seconds, or an HTTP date where `as_date` is true",
    "server_error": "500",
    "bad_request": "400",
    "not_found": "404",
    "forbidden": "403",
    "half_body": "the full Content-Length, half of the body, then the connection is cut",
    "reset": "the connection is cut before the first byte of the answer",
    "slow": "the body drips for `seconds`",
    "hang": "nothing is ever answered",
    "empty": "a well-formed list without rows",
    "truncated": "half of the rows under the old total",
    "wrong_total": "all rows under a total that is too high (where the system has a total)",
    "private_redirect": "302 to `location`",
    "huge_body": "a JSON-like body of `size_bytes`",
    "broken_json": "the body ends in the middle, correctly framed",
    "broken_encoding": "bytes that are no UTF-8 in the middle of the body",
}


@dataclass
class Fault:
    """One misbehaviour. `source`, `tenant`, `host` and `path` (a prefix) narrow it; None is everywhere.

    It strikes the next `times` requests (None: for ever), each with `probability`. `struck` counts.
    """

    kind: str
    source: str | None = None
    tenant: str | None = None
    host: str | None = None
    path: str | None = None
    times: int | None = 1
    probability: float = 1.0
    retry_after_s: int = 2
    as_date: bool = False
    seconds: float = 5.0
    location: str = "http://169.254.169.254/latest/meta-data/"
    size_bytes: int = 50 * 1024 * 1024
    number: int = 0
    struck: int = 0
    rng: Random = field(default_factory=Random, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown misbehaviour {self.kind!r}, there are: {', '.join(KINDS)}")
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError("probability must be from 0 to 1")

    @property
    def showing(self) -> Showing:
        """What of the board is shown while this strikes."""
        return next((showing for showing in get_args(Showing) if showing == self.kind), "all")

    def covers(self, host: str, path: str, source: str | None, tenant: str | None) -> bool:
        """Whether a request is in reach of this fault."""
        wanted = (self.source, self.tenant and self.tenant.casefold(), self.host)
        given = (source, tenant and tenant.casefold(), host)
        return all(w in (None, g) for w, g in zip(wanted, given, strict=True)) and path.startswith(self.path or "")

    def strikes(self) -> bool:
        """Draws whether it strikes now, and counts it. False once it is used up."""
        if self.times is not None and self.struck >= self.times:
            return False
        if self.rng.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def as_object(self) -> dict[str, Any]:
        """As a plain object for the control endpoint."""
        return {key: value for key, value in asdict(self).items() if key != "rng"}


_CONTROLS = frozenset(item.name for item in fields(Fault)) - {"number", "struck", "rng"}


class Faults:
    """The misbehaviours that are switched on; the first one that reaches a request and strikes is taken."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._numbers = itertools.count(1)
        self._active: list[Fault] = []

    def add(self, kind: str, **where: Any) -> Fault:
        """Switches one on. Raises ValueError for an unknown kind or setting."""
        if unknown := sorted(set(where) - _CONTROLS):
            raise ValueError(f"unknown settings: {', '.join(unknown)}; there are: {', '.join(sorted(_CONTROLS))}")
        number = next(self._numbers)
        fault = Fault(kind, **where, number=number, rng=Random(self._seed * 1_009 + number))
        self._active.append(fault)
        return fault

    def clear(self) -> None:
        """Switches all off."""
        self._active.clear()

    def listed(self) -> list[dict[str, Any]]:
        """All of them, also used-up ones, with how often each struck."""
        return [fault.as_object() for fault in self._active]

    def pick(self, host: str, path: str, source: str | None, tenant: str | None, *, listing: bool) -> Fault | None:
        """The fault that strikes this request, if any. Those that change a list strike only lists."""
        for fault in self._active:
            if fault.kind in SHOWINGS and not listing:
                continue
            if fault.covers(host, path, source, tenant) and fault.strikes():
                return fault
        return None
