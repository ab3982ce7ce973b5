"""People who ask the API all the time: requests at a steady pace, and which of them failed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

_ANSWER_S = 10.0
_PATHS = ("/jobs?limit=20", "/readyz", "/jobs?limit=5")


@dataclass
class Load:
    """Asks `url` so many times a second, in a thread of its own, for as long as the block lasts. Certificates are not
    looked at: the rehearsal's own is self-signed. `failures` counts by what went wrong."""

    url: str
    key: str
    per_second: float = 8.0
    asked: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._ask_all()), name="load", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(_ANSWER_S + 5)

    async def _ask_all(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        headers = {"Authorization": f"Bearer {self.key}"}
        connector = aiohttp.TCPConnector(ssl=False, limit=50)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, connector=connector) as client,
            asyncio.TaskGroup() as requests,
        ):
            while not self._over.is_set():
                requests.create_task(self._ask(client, _PATHS[self.asked % len(_PATHS)]))
                self.asked += 1
                await asyncio.sleep(1 / self.per_second)

    async def _ask(self, client: aiohttp.ClientSession, path: str) -> None:
        started = time.monotonic()
        try:
            async with client.get(self.url + path) as answer:
                await answer.read()
                if answer.status >= 400:
                    self.failures[f"{path}: {answer.status}"] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures[f"{path}: {type(error).__name__} {error}"[:200]] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)

    def told(self) -> Mapping[str, object]:
        """The figures as plain values."""
        return {"asked": self.asked, "failed": dict(self.failures), "slowest_s": round(self.slowest_s, 2)}
