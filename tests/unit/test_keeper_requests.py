"""What a person asks of this host's keeper is answered, whatever stands in a log."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from keeper.alerts.requests import Request
from keeper.systemd import service
from keeper.systemd.service import Service
from lib.life.config import Config


class Rows:
    """One request, and the end of the keeper with its answer."""

    def __init__(self, stop: anyio.Event) -> None:
        self.answers: list[str] = []
        self._stop = stop

    async def pending(self, host: str) -> list[Request]:
        return [Request(1, "crawl@0", "tail", "ada")]

    async def answer(self, request: int, text: str) -> None:
        self.answers.append(text)
        self._stop.set()


class Log:
    async def lines(self, unit: str, count: int) -> list[str]:
        return ["cut\0 off", "connected to redis://:geheim1@db:6379"]


async def test_log_lines_travel_without_secrets_and_without_what_no_table_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = SimpleNamespace(config=Config(home=tmp_path, host="w1"), database=None, stop=anyio.Event())
    rows = Rows(life.stop)
    monkeypatch.setattr(service, "Requests", lambda database: rows)
    monkeypatch.setattr(service, "EVERY_S", 0.0)
    nobody = cast(Any, None)
    await Service(cast(Any, life), nobody, cast(Any, Log()), nobody, nobody)._follow_requests()
    assert rows.answers == ["the last lines:\ncut\ufffd off\nconnected to redis://***@db:6379"]
