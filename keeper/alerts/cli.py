"""`vakanz keeper alerts`, `ack` and `test-alert`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import anyio
import orjson
import typer

from keeper.alerts.cases import TELEGRAM, Book, Case, Message, Purpose
from keeper.alerts.commands import acknowledge
from keeper.alerts.dispatch import Moved, Outcome, Sent
from keeper.alerts.masking import Mask
from keeper.alerts.render import incident_document, moment
from keeper.alerts.requests import FOR_THE_TELLER, Requests
from keeper.alerts.second import second_channels
from keeper.alerts.tables import list_cases
from keeper.alerts.telegram import Telegram
from lib.errors import ConfigError, VakanzError
from lib.life.config import Config, load
from lib.life.session import open_database
from lib.life.tables import show_table

_ANSWER_S = 15.0
_LISTED = 10_000


def alerts(
    most: Annotated[int, typer.Option(min=1, max=_LISTED, help="how many at most")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON array")] = False,
) -> None:
    """The incidents that are open, then those that were over last."""
    cases = anyio.run(_list, most)
    if as_json:
        typer.echo(orjson.dumps([_document(case) for case in cases]).decode())
        return
    show_table(
        ("incident", "kind", "where", "what", "since", "over", "taken by"),
        [
            (
                case.handle, case.incident.kind, case.incident.host or "fleet", case.incident.title,
                moment(case.incident.since), "" if case.closed_at is None else moment(case.closed_at), case.acked_by,
            )
            for case in cases
        ],
    )  # fmt: skip


def ack(
    incident: Annotated[str, typer.Argument(help="as `alerts` calls it, or its key")],
    who: Annotated[str, typer.Option("--as", envvar=["SUDO_USER", "USER"], help="who takes it")] = "somebody",
) -> None:
    """Take an incident: no more reminders of it. Fails where no open one is called so."""
    typer.echo(anyio.run(_ack, incident, who))


def test_alert() -> None:
    """Send a word to every chat and second channel that is set, and say which of them took it."""
    config = load()
    outcomes = anyio.run(try_channels, config)
    if not outcomes:
        raise ConfigError(["telegram_token, alert_webhook, alert_mail: none is set, so nobody would be told"])
    mask = Mask(config)
    for channel, outcome in outcomes.items():
        typer.echo(f"{channel}: {mask.text(_word(outcome))}")
    if failed := [channel for channel, outcome in outcomes.items() if not isinstance(outcome, Sent)]:
        raise VakanzError(f"not told: {', '.join(failed)}")


async def try_channels(config: Config) -> Mapping[str, Outcome]:
    """What came of a word to every channel that is set."""
    text = f"🔔 a test from {config.host}: alerts arrive here"
    outcomes: dict[str, Outcome] = {}
    if config.telegram_token:
        async with Telegram(config.telegram_token, config.telegram_api) as telegram:
            for chat in config.telegram_chats:
                outcomes[f"{TELEGRAM}{chat}"] = await telegram.send(int(chat), text, None)
    for second in second_channels(config):
        message = Message(
            id=str(uuid.uuid4()), case=None, channel=second.name, purpose=Purpose.NOTICE, text=text, created_at=0.0
        )
        outcomes[second.name] = await second.send(message, Book())
    return outcomes


async def _list(most: int) -> list[Case]:
    async with open_database() as database:
        return await list_cases(database, most)


async def _ack(incident: str, who: str) -> str:
    async with open_database() as database:
        acknowledge([incident], [case for case in await list_cases(database, _LISTED) if case.open], None)
        requests = Requests(database)
        asked = await requests.ask(FOR_THE_TELLER, incident, "ack", who)
        with anyio.move_on_after(_ANSWER_S):
            while (answer := await requests.answer_of(asked)) is None:  # noqa: ASYNC110 - another process answers
                await anyio.sleep(0.3)
            return answer
    return "no keeper tells alerts at the moment; the next one that does will note it"


def _document(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        **incident_document(case.incident, is_open=case.open),
        "hosts": list(case.hosts),
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "acked_at": case.acked_at,
        "acked_by": case.acked_by,
        "digest": case.digest,
    }


def _word(outcome: Outcome) -> str:
    match outcome:
        case Sent():
            return "told"
        case Moved(target):
            return f"the group is {target} now; set that in telegram_chats"
    return str(getattr(outcome, "why", outcome))
