"""Structured logs on standard error: JSON lines for machines, aligned and coloured for a person at a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.tracebacks import ExceptionDictTransformer


def configure(log_format: str, level: str, *, to: TextIO = sys.stderr, **bound: Any) -> None:
    """Sets up structlog for this process. `log_format`: json, console or auto; `bound` goes into every line."""
    console = log_format == "console" or (log_format == "auto" and to.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    # Tracebacks come without the frames' locals: they hold profiles, texts and keys.
    if console:
        tracebacks = structlog.dev.RichTracebackFormatter(show_locals=False)
        rendering: list[structlog.types.Processor] = [
            structlog.dev.ConsoleRenderer(colors=to.isatty(), exception_formatter=tracebacks)
        ]
        factory: Any = structlog.PrintLoggerFactory(to)
    else:
        rendering = [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str)),
        ]
        factory = structlog.BytesLoggerFactory(to.buffer)
    structlog.configure(
        processors=shared + rendering,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**bound)
