"""Server-sent events as they come in pieces: https://html.spec.whatwg.org/multipage/server-sent-events.html

Only what providers of language models and our gateway send is read: `event` and `data`. Everything else is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lib.errors import Malformed

MOST_BYTES = 1 << 20  # of one event: a whole answer fits, a stream without an end does not


class Event(NamedTuple):
    """`name` is empty where the stream gave none."""

    name: str
    data: str


class Events:
    """Reads a stream. Feed it pieces of any size."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0  # of the rest: no line ends there
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that are complete now. Raises Malformed for one that is too large."""
        self._rest += piece
        began = 0
        while (end := self._rest.find(b"\n", max(began, self._searched))) >= 0:
            line = self._rest[began:end].removesuffix(b"\r").decode("utf-8", "replace")
            began = end + 1
            yield from self._take(line)
        del self._rest[:began]
        self._searched = len(self._rest)
        if self._searched + self._size > MOST_BYTES:
            raise Malformed(f"an event of more than {MOST_BYTES} bytes")

    def _take(self, line: str) -> Iterator[Event]:
        if not line:
            if self._data:
                yield Event(self._name, "\n".join(self._data))
            self._name, self._data, self._size = "", [], 0
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._size += len(line)
            self._data.append(value)
        elif field == "event":
            self._name = value


def written(event: Event) -> bytes:
    """An event as it goes over the wire; its data has no line breaks."""
    return f"event: {event.name}\ndata: {event.data}\n\n".encode()
