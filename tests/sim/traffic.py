"""What the simulator was asked: counts per host and path, and how politely."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

WINDOW_S = 1.0


@dataclass
class HostTraffic:
    """One host's requests. `per_second` is the most that began within any one second."""

    requests: int = 0
    under_way: int = 0
    concurrency: int = 0
    per_second: int = 0
    paths: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    recent: deque[float] = field(default_factory=deque)

    def as_object(self) -> dict[str, Any]:
        """As a plain object for the control endpoint."""
        return {
            "requests": self.requests,
            "max_concurrency": self.concurrency,
            "max_per_second": self.per_second,
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "user_agents": dict(self.agents),
            "paths": dict(self.paths),
        }


class Traffic:
    """Counts requests; `clock` gives seconds that never run backwards."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.hosts: defaultdict[str, HostTraffic] = defaultdict(HostTraffic)

    @contextmanager
    def request(self, host: str, path: str, agent: str) -> Iterator[HostTraffic]:
        """Counts one request from its beginning to its end, also when it is cut."""
        seen, now = self.hosts[host], self._clock()
        seen.requests += 1
        seen.paths[path] += 1
        seen.agents[agent] += 1
        seen.recent.append(now)
        while seen.recent[0] <= now - WINDOW_S:
            seen.recent.popleft()
        seen.per_second = max(seen.per_second, len(seen.recent))
        seen.under_way += 1
        seen.concurrency = max(seen.concurrency, seen.under_way)
        try:
            yield seen
        finally:
            seen.under_way -= 1

    def reset(self) -> None:
        """Forgets everything; requests under way end in the old books."""
        self.hosts = defaultdict(HostTraffic)

    def as_object(self) -> dict[str, Any]:
        """Totals and one entry per host."""
        hosts = {host: seen.as_object() for host, seen in sorted(self.hosts.items())}
        return {"requests": sum(seen.requests for seen in self.hosts.values()), "hosts": hosts}
