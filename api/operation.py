"""What an operation of the API is: a method of a path, who may call it, and what it takes and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import GenericAlias
from typing import TypeAlias

from aiohttp import web

from api.bodies import Problem
from api.callers import Scope
from api.room import LOCAL_PATHS, is_local
from lib.life.config import Config

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class EventStream:
    """Server-sent events, as an answer."""


Content: TypeAlias = type | GenericAlias | None
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def contents(answer: Content | tuple[Content, ...]) -> tuple[Content, ...]:
    """The kinds of one answer, also where there is only one."""
    return answer if isinstance(answer, tuple) else (answer,)


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    `answers`: status -> what is in the body (errors of all operations aside): a type that is sent as JSON, `str` for
    plain text, `EventStream`, `None` for no body, or a tuple where the caller's Accept decides. `scope`: what a key
    must be good for. `uploads`: media types of a body that is no JSON; of multipart/form-data its field `file` is read.
    `patient`: it may take longer than usual, and watches its own time.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Content | tuple[Content, ...]]
    scope: Scope | None = None
    body: type | None = None
    query: type | None = None
    path_ids: tuple[str, ...] = ()
    path_uuids: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()
    patient: bool = False
    open: bool = False

    @property
    def route(self) -> str:
        """The path as the router takes it: ids are numbers that a bigint can hold, or UUIDs."""
        path = self.path
        for name in self.path_ids:
            path = path.replace(f"{{{name}}}", rf"{{{name}:\d{{1,18}}}}")
        for name in self.path_uuids:
            path = path.replace(f"{{{name}}}", f"{{{name}:{_UUID}}}")
        return path

    @property
    def streams(self) -> bool:
        """Whether an answer may go on for as long as the caller listens."""
        return any(EventStream in contents(answer) for answer in self.answers.values())

    def needs_key(self, config: Config) -> bool:
        """Whether a key is needed; figures are open to this machine where only it can reach the API."""
        return not (self.open or (self.path in LOCAL_PATHS and is_local(config)))

    def documented(self, config: Config) -> dict[int, tuple[Content, ...]]:
        """Status -> what its body may be, with the errors that this operation can give."""
        statuses = {500, 503}
        if self.needs_key(config):
            statuses |= {401, 403, 429}
        if self.query is not None:
            statuses |= {422}
        if self.body is not None or self.uploads:
            statuses |= {400, 408, 413, 422}
        errors: dict[int, tuple[Content, ...]] = dict.fromkeys(statuses, (Problem,))
        return dict(sorted((errors | {status: contents(one) for status, one in self.answers.items()}).items()))
