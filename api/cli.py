"""A match without HTTP."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from api.app import encoders_of, searcher_of
from lib.errors import VakanzError
from lib.life.config import load
from lib.life.session import open_database
from lib.match.answer import Answer
from lib.match.profile import MAX_TEXT_CHARS, Profile
from lib.match.recorder import Recorder, recording
from lib.store.connections import Cache

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def match(
    profile: Annotated[
        Path, typer.Option(help="A text file, or JSON as POST /match takes it; - reads from standard input.")
    ],
    title: Annotated[str | None, typer.Option(help="The job that is looked for.")] = None,
    location: Annotated[str | None, typer.Option(help="A place's name.")] = None,
    country: Annotated[list[str] | None, typer.Option(help="Hard limit: DE, AT or CH; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Hard limit: de or en; may be repeated.")] = None,
    remote: Annotated[list[str] | None, typer.Option(help="Hard limit: remote, hybrid or onsite.")] = None,
    min_salary: Annotated[float | None, typer.Option(help="Hard limit: a year's pay in EUR.")] = None,
    as_json: AsJson = False,
) -> None:
    """Shows the open jobs that fit a profile best, and why."""
    from lib.match.searcher import Asker

    limits = {"countries": country, "languages": language, "remote": remote, "min_salary_eur": min_salary}
    asked = read_file(profile, {"title": title, "location": location}, limits)

    async def work() -> Answer:
        config = replace(load(), match_cache_s=0)
        async with open_database(config) as database, recording(Recorder(database, config.expire_days)) as recorder:
            searcher = searcher_of(config, database, Cache(config.redis_url), encoders_of(config), recorder)
            return await searcher.search(asked, Asker(account_id=None, api_key_id=None, may_spend=False))

    answer = asyncio.run(work())
    if as_json:
        _print_json(answer)
    else:
        Console().print(_table(answer))


def read_file(path: Path, options: dict[str, Any], limits: dict[str, Any]) -> Profile:
    """The profile in a text or JSON file; what the options say wins. Raises VakanzError."""
    try:
        body = (
            sys.stdin.buffer.read(4 * MAX_TEXT_CHARS) if str(path) == "-" else path.read_bytes()[: 4 * MAX_TEXT_CHARS]
        )
    except OSError as error:
        raise VakanzError(f"{path} cannot be read: {error.strerror}") from error
    said: dict[str, Any] = {"text": body.decode("utf-8", "replace")[:MAX_TEXT_CHARS]}
    try:
        if body.lstrip().startswith(b"{"):
            said = msgspec.json.decode(body, type=dict[str, Any])
        said |= {name: value for name, value in options.items() if value is not None}
        said["limits"] = said.get("limits", {}) | {name: value for name, value in limits.items() if value}
        return msgspec.convert(said, Profile)
    except (msgspec.MsgspecError, TypeError) as error:
        raise VakanzError(f"{path}: {error}") from error


def _table(answer: Answer) -> Table:
    table = Table(
        "score", "job", "why", title=f"{len(answer.matches)} of {answer.candidates} compared", show_lines=True
    )
    for found in answer.matches:
        where = " · ".join(part for part in (found.company, found.city, found.country) if part)
        table.add_row(
            f"{found.score:.0f}", f"[bold]{_plain(found.title)}[/]\n{_plain(where)}\n{_plain(found.url)}",
            "\n".join(_plain(reason.text) for reason in found.reasons[:4]),
        )  # fmt: skip
    return table


def _plain(text: str) -> str:
    """Without what rich would take for markup."""
    return text.replace("[", r"\[")


def _print_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value).decode())
