"""Structured logs on standard error: JSON lines for machines, aligned and coloured for a person at a terminal.

A JSON line begins with its event and its level and ends with who says it, so that it reads well in a journal. There it
has no time, which the journal keeps, and sd-daemon(3)'s mark of its priority before it, which the journal takes off.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Lock
from traceback import TracebackException
from types import TracebackType
from typing import Any, BinaryIO, TextIO

import orjson
import structlog

Line = Mapping[str, Any]
Sink = Callable[[Line], None]

_FIRST = ("event", "level", "source", "shard")
_LAST = ("session", "unit")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
_TEXT_CHARS = 4_000  # of one value: journald cuts lines of 48 KiB in two
_ERRORS, _FRAMES, _MESSAGE_CHARS = 20, 12, 500  # of one traceback


class _Gate:
    """Lets lines pass from a level on, which may change while loggers are in use."""

    least = _LEVELS["info"]

    def __call__(self, logger: Any, method: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
        if _LEVELS[method] < self.least:
            raise structlog.DropEvent
        return line


_gate = _Gate()


def configure(log_format: str, level: str, *, to: TextIO = sys.stderr, folder: str = "", **bound: Any) -> None:
    """Sets up structlog for this process. `log_format`: json, console or auto; `bound` goes into every line.

    `folder`: where JSON lines go as well, into a file that is called like the bound `unit`; empty: nowhere.
    """
    set_level(level)
    console = log_format == "console" or (log_format == "auto" and to.isatty())
    first: list[structlog.types.Processor] = [
        _gate, structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
    ]  # fmt: skip
    # Tracebacks come without the frames' locals: they hold profiles, texts and keys.
    if console:
        tracebacks = structlog.dev.RichTracebackFormatter(show_locals=False)
        rest: list[structlog.types.Processor] = [
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=to.isatty(), exception_formatter=tracebacks),
        ]
        factory: Any = structlog.PrintLoggerFactory(to)
    else:
        rest = [structlog.processors.ExceptionRenderer(_folded)]
        stream = _journal(to.buffer) if in_journal(to) else _lines(to.buffer)
        sinks = [stream, LogFile(Path(folder, f"{bound['unit']}.jsonl"), stream).write] if folder else [stream]
        factory = _Lines(sinks)
    structlog.configure(
        processors=first + rest,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS["debug"]),  # the gate decides
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**bound)


def set_level(level: str) -> None:
    """From now on, for all loggers: debug, info, warning or error."""
    _gate.least = _LEVELS[level]


def tell_crashes() -> None:
    """What ends this process becomes one line of its log; a killing signal leaves every thread's stack behind."""

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        structlog.get_logger("life").critical("crashed", exc_info=(kind, error, trace))

    sys.excepthook = crashed
    faulthandler.enable()


def in_journal(stream: TextIO, environment: Mapping[str, str] | None = None) -> bool:
    """Whether what is written to `stream` goes to systemd's journal, by systemd.exec(5)'s `JOURNAL_STREAM`."""
    named = (os.environ if environment is None else environment).get("JOURNAL_STREAM", "")
    try:
        there = os.fstat(stream.fileno())
    except (OSError, ValueError):  # no file, or closed
        return False
    return named == f"{there.st_dev}:{there.st_ino}"


class LogFile:
    """JSON lines in a file that is opened anew once it was moved away, so that logrotate needs to tell nobody.

    Where it cannot be written, `complain` is told, once until it can be again.
    """

    def __init__(self, path: Path, complain: Sink) -> None:
        self._path = path
        self._complain = complain
        self._opened: tuple[int, os.stat_result] | None = None
        self._failing = False

    def write(self, line: Line) -> None:
        """Appends one line."""
        try:
            os.write(self._descriptor(), _timed(line))
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._failing = True
                self._complain({"event": "log file cannot be written", "level": "warning", "reason": str(error)})

    def _descriptor(self) -> int:
        if self._opened is not None:
            descriptor, born = self._opened
            try:
                if os.path.samestat(born, self._path.stat()):
                    return descriptor
            except FileNotFoundError:
                pass
            self._opened = None
            os.close(descriptor)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._opened = descriptor, os.fstat(descriptor)
        return descriptor


class _Lines:
    """A logger, and the factory of it: hands each line to all sinks."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self._turn = Lock()

    def __call__(self, *names: Any) -> _Lines:
        return self

    def msg(self, /, **line: Any) -> None:
        ordered = _ordered(line)
        with self._turn:
            for sink in self._sinks:
                sink(ordered)

    debug = info = warning = error = critical = msg


def _lines(stream: BinaryIO) -> Sink:
    def write(line: Line) -> None:
        stream.write(_timed(line))
        stream.flush()

    return write


def _journal(stream: BinaryIO) -> Sink:
    def write(line: Line) -> None:
        stream.write(b"<%d>%b\n" % (_PRIORITIES[line["level"]], _json(line)))
        stream.flush()

    return write


def _timed(line: Line) -> bytes:
    return _json({**line, "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds")}) + b"\n"


def _ordered(line: Line) -> Line:
    between = {name: value for name, value in line.items() if name not in _FIRST and name not in _LAST}
    first, last = ({name: line[name] for name in names if name in line} for names in (_FIRST, _LAST))
    return {name: _clipped(value) for name, value in (first | between | last).items()}


def _clipped(value: Any) -> Any:
    return value[:_TEXT_CHARS] + "..." if isinstance(value, str) and len(value) > _TEXT_CHARS else value


def _json(line: Line) -> bytes:
    try:
        return orjson.dumps(line, default=str)
    except orjson.JSONEncodeError:  # half a character of a hostile page, or a number of more than 64 bits
        return json.dumps(line, default=str).encode()


def _folded(exc_info: structlog.typing.ExcInfo) -> list[str]:
    """An error, its members and its causes, each with the way that it came, innermost first."""
    return list(islice(_told(TracebackException(*exc_info, lookup_lines=False, compact=True)), _ERRORS))


def _told(error: TracebackException) -> Iterator[str]:
    what = "".join(error.format_exception_only()).strip()[:_MESSAGE_CHARS]
    frames = reversed(error.stack[-_FRAMES:])
    way = " < ".join(f"{'/'.join(Path(one.filename).parts[-2:])}:{one.lineno} {one.name}" for one in frames)
    yield f"{what} at {way}" if way else what
    for member in error.exceptions or ():
        yield from _told(member)
    if error.__cause__ is not None:
        yield from _told(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _told(error.__context__)
