"""Logs and notifications."""

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import structlog

from lib.life import logs
from lib.life.notify import Notifier

_ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logs.set_level("info")


@pytest.fixture
def out() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO())


def written(out: io.TextIOWrapper) -> list[bytes]:
    """The lines so far."""
    out.flush()
    return out.buffer.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def test_json_lines_carry_what_was_bound(out: io.TextIOWrapper) -> None:
    logs.configure("json", "info", to=out, unit="crawl@0", session="s1")
    log = structlog.get_logger("x")
    log.debug("quiet")
    try:
        raise ValueError("bad row")
    except ValueError:
        log.exception("batch", rows=2, shard=3)
    lines = written(out)
    assert len(lines) == 1
    line = orjson.loads(lines[0])
    assert list(line) == ["event", "level", "shard", "rows", "exception", "session", "unit", "timestamp"]
    assert (line["event"], line["unit"], line["shard"], line["level"]) == ("batch", "crawl@0", 3, "error")
    assert line["exception"][0].startswith("ValueError: bad row at unit/test_life.py:")


def test_a_traceback_tells_members_and_causes_and_ends(out: io.TextIOWrapper) -> None:
    logs.configure("json", "info", to=out)

    def descend(depth: int) -> None:
        try:
            if depth:
                descend(depth - 1)
            else:
                raise KeyError("root")
        except (KeyError, ExceptionGroup) as error:
            raise ExceptionGroup("tasks", [ValueError("x" * 9_000), TypeError("b")]) from error

    try:
        descend(60)
    except ExceptionGroup:
        structlog.get_logger("x").exception("failed")
    (line,) = written(out)
    told = orjson.loads(line)["exception"]
    assert told[0].startswith("ExceptionGroup: tasks (2 sub-exceptions)")
    assert told[1].startswith("ValueError: xxx") and told[2].startswith("TypeError: b")
    assert len(told) == 20 and len(line) < 40_000


@pytest.mark.parametrize("odd", ["half \ud800 a sign", 1 << 80, "NUL \0", "two\nlines", "x" * 100_000])
def test_a_line_takes_anything(odd: object, out: io.TextIOWrapper) -> None:
    logs.configure("json", "info", to=out)
    structlog.get_logger("x").info("page", title=odd)
    (line,) = written(out)
    assert json.loads(line)["event"] == "page" and len(line) < 10_000


def test_in_the_journal_a_line_begins_with_its_priority_and_has_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w+") as journal:
        there = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{there.st_dev}:{there.st_ino}")
        logs.configure("json", "info", to=journal, unit="crawl@0")
        structlog.get_logger("x").warning("left alone", board="acme")
    text = (tmp_path / "journal").read_text()
    assert text == '<4>{"event":"left alone","level":"warning","board":"acme","unit":"crawl@0"}\n'


def test_a_terminal_or_a_pipe_is_no_journal(monkeypatch: pytest.MonkeyPatch, out: io.TextIOWrapper) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
    assert not logs.in_journal(out)
    with Path(os.devnull).open() as nowhere:
        assert not logs.in_journal(nowhere)


def test_the_level_changes_for_loggers_in_use(out: io.TextIOWrapper) -> None:
    logs.configure("json", "warning", to=out)
    log = structlog.get_logger("x")
    log.info("one")
    logs.set_level("debug")
    log.debug("two")
    assert [orjson.loads(line)["event"] for line in written(out)] == ["two"]


def test_a_log_file_of_the_units_own_survives_rotation(tmp_path: Path, out: io.TextIOWrapper) -> None:
    logs.configure("json", "info", to=out, folder=str(tmp_path), unit="enrich@text:3")
    log = structlog.get_logger("x")
    file = tmp_path / "enrich@text:3.jsonl"
    log.info("one")
    file.rename(tmp_path / "old")
    log.info("two")
    file.unlink()
    log.info("three")
    assert orjson.loads((tmp_path / "old").read_bytes())["event"] == "one"
    line = orjson.loads(file.read_bytes())
    assert line["event"] == "three" and line["timestamp"].endswith("+00:00")
    assert [orjson.loads(line)["event"] for line in written(out)] == ["one", "two", "three"]


def test_a_log_file_that_cannot_be_written_is_told_once(tmp_path: Path, out: io.TextIOWrapper) -> None:
    folder = tmp_path / "later"
    logs.configure("json", "info", to=out, folder=str(folder), unit="crawl@0")
    log = structlog.get_logger("x")
    log.info("one")
    log.info("two")
    folder.mkdir()
    log.info("three")
    assert [orjson.loads(line)["event"] for line in written(out)] == [
        "one", "log file cannot be written", "two", "three",
    ]  # fmt: skip
    assert orjson.loads((folder / "crawl@0.jsonl").read_bytes())["event"] == "three"


def test_a_crash_is_one_line(tmp_path: Path) -> None:
    program = (
        "from lib.life import logs\n"
        "logs.configure('json', 'info', unit='crawl@0')\n"
        "logs.tell_crashes()\n"
        "raise ZeroDivisionError('at work')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=_ROOT, check=False, timeout=60)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert orjson.loads(line)["exception"] == ["ZeroDivisionError: at work at <string>:4 <module>"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_tracebacks_tell_no_locals(log_format: str, out: io.TextIOWrapper) -> None:
    logs.configure(log_format, "info", to=out)
    key = "-".join(("a", "secret", "key"))  # so that no line of code shows it
    try:
        raise ValueError(len(key))
    except ValueError:
        structlog.get_logger("x").exception("failed")
    text = b"\n".join(written(out)).decode()
    assert "ValueError" in text and key not in text


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
