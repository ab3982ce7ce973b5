"""Every operation of the API, once: the router and the OpenAPI document are both made of this table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from api import figures, fleet, health, jobs, matching
from api.bodies import Health, JobDetail, JobPage, JobsQuery, Problem, Readiness, Targets
from api.room import LOCAL_PATHS, is_local
from lib.life.config import Config
from lib.match.answer import Answer
from lib.match.profile import Profile

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Operation:
    """One method of one path. `answers`: status -> body type (`str` for plain text), errors of all operations aside."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, type]
    body: type | None = None
    query: type | None = None
    path_ids: tuple[str, ...] = ()
    open: bool = False

    @property
    def route(self) -> str:
        """The path as the router takes it: ids are numbers that a bigint can hold."""
        path = self.path
        for name in self.path_ids:
            path = path.replace(f"{{{name}}}", rf"{{{name}:\d{{1,18}}}}")
        return path

    def needs_key(self, config: Config) -> bool:
        """Whether a key is needed; figures are open to this machine where only it can reach the API."""
        return not (self.open or (self.path in LOCAL_PATHS and is_local(config)))

    def documented(self, config: Config) -> dict[int, type]:
        """Status -> body type, with the errors that this operation can give."""
        errors = {503: Problem, 500: Problem}
        if self.needs_key(config):
            errors[401] = Problem
        if self.query is not None:
            errors[422] = Problem
        if self.body is not None:
            errors |= {400: Problem, 413: Problem, 422: Problem}
        return dict(sorted((errors | dict(self.answers)).items()))


OPERATIONS = (
    Operation("POST", "/match", matching.match, "The postings that match a profile best", {200: Answer}, body=Profile),
    Operation("GET", "/jobs", jobs.list_jobs, "Open jobs, newest first", {200: JobPage}, query=JobsQuery),
    Operation(
        "GET",
        "/jobs/{id}",
        jobs.show_job,
        "One job with its text, provenance and history",
        {200: JobDetail, 404: Problem},
        path_ids=("id",),
    ),
    Operation("GET", "/healthz", health.healthz, "Whether the process answers", {200: Health}, open=True),
    Operation(
        "GET",
        "/readyz",
        health.readyz,
        "Whether requests can be answered",
        {200: Readiness, 503: Readiness},
        open=True,
    ),
    Operation("GET", "/metrics", figures.figures, "Figures for Prometheus", {200: str}),
    Operation(
        "GET",
        "/fleet/targets",
        fleet.targets,
        "Where the fleet's figures are, for Prometheus' HTTP service discovery",
        {200: list[Targets]},
    ),
)
