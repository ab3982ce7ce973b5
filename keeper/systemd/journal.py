"""The journal, read with journalctl: only when somebody needs it, and never much of it.

Source   systemd.journal-fields(7); journalctl(1), -o json: a field that is no text is a list of bytes, one that is too
         long is null. Ends of units: systemd's sd-messages.h.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.abc
import orjson
import structlog

PATIENCE_S = 5.0
_MOST_BYTES = 512 << 10
_LINE = 500
_EXITED = "98e322203f7a4ed290d09fe03c09fe15"  # EXIT_CODE, EXIT_STATUS
_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"  # UNIT_RESULT
_STARTED = "39f53479d3a045ac8e11786248231fbf"
_OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
_KILLED = ("killed", "dumped")


class Journal:
    """The journal of this host. `command`: journalctl, or what stands for it."""

    def __init__(self, command: Sequence[str] = ("journalctl",)) -> None:
        self._command = tuple(command)
        self._log = structlog.get_logger("journal")

    async def entries(self, service: str, count: int) -> list[dict[str, Any]]:
        """The last entries of and about a unit, oldest first; none where the journal cannot be read."""
        return await self._read(f"--unit={service}", f"--lines={count}")

    async def killed_for_memory(self, pid: int) -> bool:
        """Whether the kernel says that it killed this process for memory, in the last ten minutes."""
        lines = [_text(entry) for entry in await self._read("--dmesg", "--since=-10min", "--lines=2000")]
        return any(f"Killed process {pid} " in line for line in lines)

    async def _read(self, *arguments: str) -> list[dict[str, Any]]:
        command = [*self._command, "--output=json", "--no-pager", "--quiet", *arguments]
        text = b""
        try:
            with anyio.move_on_after(PATIENCE_S):
                async with await anyio.open_process(
                    command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                ) as process:
                    assert process.stdout is not None
                    text = await _some(process.stdout)
                    if process.returncode is None:
                        process.kill()
        except OSError as error:
            self._log.warning("the journal cannot be read", reason=str(error))
        return [entry for entry in map(_entry, text.splitlines()) if entry is not None]


async def _some(stream: anyio.abc.ByteReceiveStream) -> bytes:
    parts, size = [], 0
    async for part in stream:
        parts.append(part)
        size += len(part)
        if size > _MOST_BYTES:
            break
    return b"".join(parts)[:_MOST_BYTES]


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:  # the last one, cut off
        return None
    return entry if isinstance(entry, dict) else None


def line_of(entry: Mapping[str, Any]) -> str:
    """An entry as one line: its time in UTC, and its text."""
    stamp = str(entry.get("__REALTIME_TIMESTAMP", ""))
    at = ""
    if stamp.isascii() and stamp.isdigit() and len(stamp) <= 17:
        at = datetime.fromtimestamp(int(stamp) / 1_000_000, UTC).strftime("%H:%M:%S ")
    text = _text(entry)
    return at + (text if len(text) <= _LINE else text[:_LINE] + " ...")


def last_end(entries: Sequence[Mapping[str, Any]]) -> tuple[str, bool, int] | None:
    """How the last run that failed did so: systemd's result, whether by a signal, and the status.

    None where the entries do not say.
    """
    result, killed, status = "", False, 0
    for entry in entries:
        match entry.get("MESSAGE_ID"):
            case message if message == _EXITED:
                killed, status = entry.get("EXIT_CODE") in _KILLED, _number(entry.get("EXIT_STATUS"))
            case message if message == _FAILED:
                result = str(entry.get("UNIT_RESULT", ""))
    return (result, killed, status) if result else None


def out_of_memory(entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether systemd saw the kernel kill a process of the unit for memory, in its last run."""
    found = False
    for entry in entries:
        message = entry.get("MESSAGE_ID")
        if message == _STARTED:
            found = False
        found = found or message == _OUT_OF_MEMORY
    return found


def _text(entry: Mapping[str, Any]) -> str:
    message = entry.get("MESSAGE")
    if isinstance(message, list):
        message = bytes(one for one in message if isinstance(one, int) and 0 <= one < 256).decode(errors="replace")
    return " ".join(str(message or "").split())


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
