from __future__ import annotations

import io
import socket
from dataclasses import replace
from datetime import UTC, datetime

import anyio
import pytest
from rich.console import Console

from keeper.local import running
from keeper.local.progress import Standing
from lib.life.config import Config
from lib.store.connections import Database

_DONE = Standing(
    boards=1, crawled=1, postings=1, described=1, enriched=1, embedded=1, full_embedded=0, put_off=0, dead_letters=0,
    lags={"text": 0},
)  # fmt: skip


def _running(port: int) -> running.Running:
    config = Config(api_port=port)
    return running.Running(config, Database("postgresql://nowhere"), anyio.Event(), datetime.now(UTC), "key")


@pytest.mark.parametrize("crawled", [0, 1])
async def test_a_request_to_stop_ends_the_main_job_at_once_also_while_the_api_is_asked(
    monkeypatch: pytest.MonkeyPatch, crawled: int
) -> None:
    async def standing(*_: object) -> Standing:
        return replace(_DONE, crawled=crawled)

    monkeypatch.setattr(running, "standing", standing)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        job = _running(silent.getsockname()[1])
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_stop_soon, job.stop)
                assert await running.main_job(job, Console(file=io.StringIO())) is None


async def _stop_soon(stop: anyio.Event) -> None:
    await anyio.sleep(0.3)
    stop.set()


def test_what_employers_wrote_is_no_markup() -> None:
    match = {"score": 80.0, "title": "Koch [m/w/d] [/b] :office:", "company": "[red]", "reasons": [{"text": "[/x]"}]}
    console = Console(file=io.StringIO(), width=200)
    running.show(running.Report(standing=_DONE, seconds=1.0, matches=[match]), console)
    assert isinstance(console.file, io.StringIO)
    assert "Koch [m/w/d] [/b] :office: · [red]\n       [/x]\n" in console.file.getvalue()
