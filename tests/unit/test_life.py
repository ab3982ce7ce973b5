"""Logs and notifications."""

import io
import socket
from pathlib import Path

import orjson
import pytest
import structlog

from lib.life import logs
from lib.life.notify import Notifier


def test_json_lines_carry_what_was_bound() -> None:
    out = io.TextIOWrapper(io.BytesIO())
    logs.configure("json", "info", to=out, unit="crawl@0")
    log = structlog.get_logger("x")
    log.debug("quiet")
    try:
        raise ValueError("bad row")
    except ValueError:
        log.exception("batch", shard=3)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    lines = out.buffer.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 1
    line = orjson.loads(lines[0])
    assert (line["event"], line["unit"], line["shard"], line["level"]) == ("batch", "crawl@0", 3, "error")
    assert line["exception"][0]["exc_value"] == "bad row"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_tracebacks_tell_no_locals(log_format: str) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    logs.configure(log_format, "info", to=out)
    key = "-".join(("a", "secret", "key"))  # so that no line of code shows it
    try:
        raise ValueError(len(key))
    except ValueError:
        structlog.get_logger("x").exception("failed")
    structlog.reset_defaults()
    out.flush()
    written = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert "ValueError" in written and key not in written


def test_states_reach_the_service_manager(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        notifier = Notifier({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "30000000"})
        notifier.send(READY="1", STATUS="working: shard 3")
        assert manager.recv(1000) == b"READY=1\nSTATUS=working: shard 3"
    assert notifier.watchdog_s == 30.0


def test_without_a_manager_nothing_is_sent() -> None:
    notifier = Notifier({})
    notifier.send(READY="1")
    assert notifier.watchdog_s is None
