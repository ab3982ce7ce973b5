"""The second channels, and the command lines that list, take and try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_string
from email.policy import default
from pathlib import Path

import anyio
import orjson
import pytest
from aiohttp import web
from click.testing import Result
from typer.testing import CliRunner

from keeper.alerts.cases import Book, Message, Purpose
from keeper.alerts.cli import try_channels
from keeper.alerts.commands import Unclear
from keeper.alerts.dispatch import Away, Later, Outcome, Refused, Rejected, Sent
from keeper.alerts.second import Mail, Webhook
from keeper.cli import keeper_app
from tests.integration.alerting import CHAT, bench, incident
from tests.sim.serving import serving
from tests.waiting import until


def _message() -> Message:
    text = "🔴 <b>crawl@0 &amp; more</b>\n<b>why</b> oom"
    return Message(id="m1", case=None, channel="mail", purpose=Purpose.NOTICE, text=text, created_at=0.0)


@asynccontextmanager
async def _post_office(refusing: bool = False) -> AsyncIterator[tuple[str, list[str]]]:
    """A mail server's address, and all that it was told."""
    told: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            told.append(line)
            if line.upper() == "DATA":
                writer.write(b"354 go on\r\n")
                while (line := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    told.append(line)
            refused = refusing and line.upper().startswith("RCPT")
            writer.write(
                b"550 nobody of that name\r\n"
                if refused
                else b"221 bye\r\n"
                if line.upper() == "QUIT"
                else b"250 ok\r\n"
            )
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", told


async def test_a_mail_is_plain_text_with_a_subject() -> None:
    async with _post_office() as (smtp, told):
        outcome = await Mail(smtp, ("ops@example.org", "two@example.org"), "w1").send(_message(), Book())
    assert outcome == Sent()
    mail = message_from_string("\n".join(told[told.index("data") + 1 :]), policy=default)
    assert mail["To"] == "ops@example.org, two@example.org"
    assert mail["Subject"] == "🔴 crawl@0 & more"
    assert mail.get_content().splitlines()[1] == "why oom"
    assert any(line.startswith("rcpt TO:<two@example.org>") for line in told)


async def test_a_mail_server_that_refuses_or_is_away_or_would_see_a_password_in_clear() -> None:
    async with _post_office(refusing=True) as (smtp, _):
        assert isinstance(await Mail(smtp, ("ops@example.org",), "w1").send(_message(), Book()), Rejected)
    assert isinstance(await Mail(smtp, ("ops@example.org",), "w1").send(_message(), Book()), Away)
    async with _post_office() as (smtp, told):
        secret = smtp.replace("smtp://", "smtp://ops:geheim1@")
        outcome = await Mail(secret, ("ops@example.org",), "w1").send(_message(), Book())
        assert isinstance(outcome, Away)
        assert "no password" in outcome.why
        assert not [line for line in told if "AUTH" in line.upper()]


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (204, {}, Sent()),
        (302, {"Location": "/elsewhere"}, Rejected("HTTP 302")),
        (404, {}, Rejected("HTTP 404")),
        (429, {"Retry-After": "7"}, Later(7.0)),
        (429, {"Retry-After": "soon"}, Later(60.0)),
        (503, {}, Away("HTTP 503")),
    ],
)
async def test_what_a_webhook_answers(status: int, headers: dict[str, str], outcome: Outcome) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert (await request.json())["text"] == "🔴 crawl@0 & more\nwhy oom"
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_post("/alerts", answer)
    async with serving(app) as url:
        hook = Webhook(f"{url}/alerts")
        assert await hook.send(_message(), Book()) == outcome
    assert isinstance(await hook.send(_message(), Book()), Away)


async def test_channels_are_tried(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path, CHAT, -5) as it:
        it.telegram.block(-5)
        outcomes = await try_channels(it.config)
        assert outcomes[f"telegram:{CHAT}"] == Sent(1)
        assert isinstance(outcomes["telegram:-5"], Refused)


async def test_the_command_lines(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        teller.report([incident(), incident("oom: crawl@1")])
        await until(lambda: len(it.telegram.shown("🔴", CHAT)) == 2)
        await it.settled(teller)
        for name, value in {
            "DSN": dsn, "REDIS_URL": "redis://127.0.0.1:1", "TELEGRAM_TOKEN": it.config.telegram_token,
            "TELEGRAM_API": it.config.telegram_api, "TELEGRAM_CHATS": str(CHAT), "HOST": "w7",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"VAKANZ_{name}", value)

        async def run(*arguments: str) -> Result:
            return await anyio.to_thread.run_sync(lambda: CliRunner().invoke(keeper_app, arguments))

        async def call(*arguments: str) -> str:
            result = await run(*arguments)
            assert result.exit_code == 0, result.output
            return result.stdout

        listed = orjson.loads(await call("alerts", "--json"))
        assert {one["key"]: one["open"] for one in listed} == {"flapping: crawl@0": True, "oom: crawl@1": True}
        assert "oom: crawl@1 on w1" in await call("alerts")
        assert isinstance((await run("ack", "oom: crawl@9", "--as", "grace")).exception, Unclear)
        assert "taken, no more reminders" in await call("ack", "oom: crawl@1", "--as", "grace")
        await until(lambda: it.telegram.shown("taken by grace", CHAT))
        assert "told" in await call("test-alert")
        assert it.telegram.shown("a test from w7", CHAT)
