"""The front door: composes the commands of all rooms, imports each room only when one of its commands is called."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lib.errors import ConfigError, VakanzError

if TYPE_CHECKING:
    from keeper.local.market import Recognised
    from keeper.local.running import Report
    from lib.life.actor import Serve
    from lib.store.connections import Database

_ROOMS = {
    "board": "daemons.crawl.cli:board_app",
    "crawl": "daemons.crawl.cli:crawl_app",
    "careers": "daemons.careers.cli:careers_app",
    "proxy": "daemons.crawl.proxies:proxy_app",
    "companies": "daemons.companies.cli:companies_app",
    "source": "daemons.sources.cli:source_app",
    "shard": "daemons.shards:shard_app",
    "followers": "daemons.shards:followers_app",
    "deadletter": "daemons.upkeep.cli:deadletter_app",
    "audit": "daemons.upkeep.audit:audit_app",
    "keeper": "keeper.cli:keeper_app",
    "key": "api.account_cli:key_app",
    "account": "api.account_cli:account_app",
    "match": "api.cli:match",
    "model": "lib.match.cli:model_app",
    "quality": "lib.match.cli:quality_app",
    "occupations": "lib.people.occupation.cli:occupations_app",
    "credits": "lib.spend.cli:credits_app",
    "fleet": "keeper.fleet.cli:fleet_app",
}


class Stage(StrEnum):
    """The two halves of a change of the schema."""

    PRE = "pre"
    POST = "post"


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Job intelligence for Germany, Austria and Switzerland: crawl boards, enrich postings, match people.\n\n"
    "Settings come from VAKANZ_* variables or the file that VAKANZ_CONFIG names; without any, PostgreSQL and Valkey "
    "run embedded out of ./var.",
)

Companies = Annotated[int, typer.Option(min=1, help="Companies of the simulated market.")]
Postings = Annotated[int, typer.Option(min=1, help="Postings of the simulated market.")]
Seed = Annotated[int, typer.Option(help="Another seed is another market.")]
Real = Annotated[Path | None, typer.Option(help="Play this folder of saved payloads instead of inventing boards.")]


@app.command()
def up(companies: Companies = 60, postings: Postings = 3_000, seed: Seed = 1, real: Real = None) -> None:
    """Start everything on this machine, run the main job on a simulated market, and serve until Ctrl-C."""
    import anyio
    from rich.console import Console

    from keeper.local.running import MarketSize, everything, main_job, show
    from lib.life.config import load

    async def work() -> None:
        size = MarketSize(companies=companies, postings=postings, seed=seed, replay=real)
        console = Console(stderr=True, soft_wrap=True)
        async with everything(load(), size, os.environ, _create_key, _create_paid_key, _recognise, console) as running:
            report = await main_job(running, console)
            if report is not None:
                show(report, console)
                key = running.config.home / "api-key"
                console.print(f"\nserving [bold]{running.url}[/] (API key in {key}); Ctrl-C stops everything")
                await running.stop.wait()

    anyio.run(work)


@app.command()
def demo(
    companies: Companies = 60,
    postings: Postings = 3_000,
    seed: Seed = 1,
    real: Real = None,
    limit_s: Annotated[float, typer.Option(help="Fail when the main job is not done after so many seconds.")] = 300.0,
) -> None:
    """Do what `up` does once, without serving, and print the outcome as one JSON object on the last line."""
    import anyio
    import orjson
    from rich.console import Console

    from keeper.local.running import MarketSize, NotFinished, everything, main_job, show
    from lib.life.config import load

    async def work() -> Report:
        size = MarketSize(companies=companies, postings=postings, seed=seed, replay=real)
        console = Console(stderr=True, soft_wrap=True)
        config = load({"VAKANZ_API_PORT": str(_any_port())} | dict(os.environ))
        async with everything(config, size, os.environ, _create_key, _create_paid_key, _recognise, console) as running:
            report = await main_job(running, console, limit_s=limit_s)
            if report is None:
                raise NotFinished("stopped before the main job was done")
            show(report, console)
            return report

    typer.echo(orjson.dumps(anyio.run(work).document()))


@app.command()
def migrate(
    stage: Annotated[
        Stage | None,
        typer.Option(
            help="Only what runs before the new version is started (pre), or once the old one is gone (post)."
        ),
    ] = None,
) -> None:
    """Bring the database to the newest schema."""
    import anyio

    from lib.life.config import load
    from lib.life.session import with_servers
    from lib.store.migrate import migrate as apply

    with with_servers(load()) as config:
        steps = anyio.run(apply, config.dsn, tuple(Stage) if stage is None else (stage,))
    typer.echo("\n".join(f"{step.number:04} {step.name}" for step in steps) or "the schema is the newest already")


@app.command()
def daemon(
    unit: Annotated[str, typer.Argument(help="Such as crawl@0-5, descriptions@3, enrich@text:0-7, geo@0-24, api@0.")],
) -> None:
    """Run one daemon in the foreground until SIGTERM or Ctrl-C; service managers call this."""
    import anyio

    from lib.life import logs
    from lib.life.actor import run_actor
    from lib.life.config import load
    from lib.life.session import with_servers

    serve = load_daemon(unit)
    with with_servers(load()) as config:
        logs.configure(config.log_format, config.log_level, folder=config.log_folder, unit=unit)
        logs.tell_crashes()
        anyio.run(run_actor, unit, config, serve, backend_options={"use_uvloop": True})


def load_daemon(unit: str) -> Serve:
    """Imports a daemon, and no other one. Raises UnknownUnit."""
    from lib.life.domains import parse_unit

    placed = parse_unit(unit)
    module, _, function = placed.domain.code.partition(":")
    return partial(getattr(import_module(module), function), **placed.share.arguments)


async def _create_key(database: Database, label: str) -> str:
    from api.keys import create_key

    _, key = await create_key(database, label, secrets.token_bytes(32))
    return key


async def _create_paid_key(database: Database, label: str) -> str:
    from api.accounts import create_account
    from api.keys import create_key

    account = await create_account(database, label, "paid", sealed=None, who="this machine")
    _, key = await create_key(database, label, secrets.token_bytes(32), account)
    return key


def _recognise(url: str) -> Recognised | None:
    from daemons.careers.site import EVERY_S, SOURCE, Site
    from daemons.sources import detect
    from keeper.local.market import Recognised

    found = detect(url)
    if found is None:
        site = Site.of(url)
        return None if site is None else Recognised(SOURCE, site.tenant, site.start, EVERY_S)
    system, tenant = found
    return Recognised(system.name, tenant, system.board_url(tenant), int(system.every.total_seconds()))


def _any_port() -> int:
    """A free port for an API that nobody but ourselves will ask."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Runs the command line: errors of ours are one clear line and exit code 1, bad usage is 2."""
    try:
        _check(sys.argv[1:])
        _open_rooms(sys.argv[1:])
        app()
    except ConfigError as error:
        for problem in error.problems:
            _complain(f"configuration: {problem}")
        raise SystemExit(1) from None
    except VakanzError as error:
        _complain(str(error))
        raise SystemExit(1) from None
    except BaseExceptionGroup as group:
        ours, others = group.split(VakanzError)
        if others is not None or ours is None:
            raise
        _complain(str(_first(ours)))
        raise SystemExit(1) from None


def _complain(text: str) -> None:
    """One line for a person, which a journal keeps as an error."""
    from lib.life.logs import in_journal

    sys.stderr.write(f"{'<3>' if in_journal(sys.stderr) else ''}vakanz: {text}\n")


def _check(arguments: list[str]) -> None:
    """Ends with bad usage where an argument holds bytes that are no text: no database and no log could take it."""
    for argument in arguments:
        if not argument.isprintable() and argument != argument.encode(errors="replace").decode():
            sys.stderr.write(f"vakanz: {argument.encode(errors='backslashreplace').decode()}: not UTF-8 text\n")
            raise SystemExit(2)


def _open_rooms(arguments: list[str]) -> None:
    """Adds the commands of the room that is called, or of all rooms where the list of all is to be shown.

    So a daemon does not carry the other rooms, and the keeper starts while one of them has a syntax error.
    """
    called = arguments[0] if arguments else ""
    own = {command.callback.__name__ for command in app.registered_commands if command.callback is not None}
    for name in _ROOMS if called not in own | _ROOMS.keys() else {called} & _ROOMS.keys():
        module, _, attribute = _ROOMS[name].partition(":")
        part = getattr(import_module(module), attribute)
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=name)
        else:
            app.command(name)(part)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    main()
