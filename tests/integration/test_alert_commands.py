"""What people type into the chat, and what command lines ask of the teller."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from keeper.alerts.requests import FOR_THE_TELLER, Requests
from keeper.holds import load_holds
from lib.store.connections import Database
from tests.integration.alerting import CHAT, OTHER, bench, incident
from tests.waiting import until


async def test_commands_are_answered(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller, Database(dsn) as database:
        await database.execute(
            "INSERT INTO daemon (unit, host, pid, version, started_at, heartbeat_at, progress_at, state)"
            " VALUES ('crawl@0', 'w1', 1, '1', now(), now() - interval '200 seconds', now(), 'working')"
        )

        async def ask(text: str) -> str:
            asked = it.telegram.say(CHAT, text)
            await until(lambda: it.telegram.answers_to(asked))
            return it.telegram.answers_to(asked)[0].text

        assert "all is well" in await ask("/status")
        assert "w1: 1 daemons, silent: crawl@0" in await ask("/status@vakanz_test_bot")
        assert "take these commands" in await ask("/help")
        assert "nothing is open" in await ask("/ack")
        assert "crawl@0 is held until" in await ask("/hold crawl@0 2h new disk <soon>")
        (hold,) = await load_holds(database)
        assert (hold.target, hold.held_by, hold.why) == ("crawl@0", "@ada", "new disk <soon>")
        assert "held: crawl@0" in await ask("/status")
        assert "crawl@0 is not held any more" in await ask("/release crawl@0")
        assert await load_holds(database) == []
        assert "is not held" in await ask("/release crawl@0")
        assert "no unit or host is called crawls@0" in await ask("/hold crawls@0 2h why")
        assert "is crawl@0" in await ask("/hold crawls@0 2h why")
        assert "30 days at most" in await ask("/hold crawl@0 soon why")
        assert "for how long, and why" in await ask("/hold crawl@0 2h")
        assert "is descriptions@3 meant?" in await ask("/tail description@3")
        assert "is no single unit" in await ask("/restart w1")
        assert "is /restart meant?" in await ask("/restrat crawl@0")
        teller.report([incident()])
        await until(lambda: it.telegram.shown("🔴", CHAT))
        assert "1 open, 1 of them taken by nobody" in await ask("/status")
        assert "taken, no more reminders" in await ask("/ack")


async def test_a_request_is_answered_by_the_keeper_of_the_units_host(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller(), Database(dsn) as database:
        requests = Requests(database)
        asked = it.telegram.say(CHAT, "/tail descriptions@3")
        found = []
        with anyio.fail_after(10):
            while not found:
                found = await requests.pending("w2")
        assert [(one.unit, one.what, one.asked_by) for one in found] == [("descriptions@3", "tail", "@ada")]
        assert await requests.pending("w2") == [], "each is given out once"
        await requests.answer(found[0].id, "the last lines:\n<one>\npassword=geheim1")
        await until(lambda: it.telegram.answers_to(asked))
        assert it.telegram.answers_to(asked)[0].text.splitlines() == [
            "tail descriptions@3: the last lines:",
            "<one>",
            "password=***",
        ]


async def test_a_request_that_nobody_answers_is_told_as_such(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller(), Database(dsn) as database:
        asked = it.telegram.say(CHAT, "/restart descriptions@3")
        with anyio.fail_after(10):
            while not await database.fetchval("SELECT count(*) FROM keeper_request"):  # noqa: ASYNC110 - it comes by wire
                await anyio.sleep(0.02)
        await database.execute("UPDATE keeper_request SET asked_at = asked_at - interval '2 minutes'")
        await until(lambda: it.telegram.answers_to(asked))
        assert "the keeper of w2 did not answer" in it.telegram.answers_to(asked)[0].text
        assert await Requests(database).pending("w2") == [], "it is not followed long after"


async def test_other_chats_get_no_answer(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller():
        it.telegram.add_chat(OTHER)
        it.telegram.say(OTHER, "/hold crawl@0 2h mischief")
        asked = it.telegram.say(CHAT, "/status")
        await until(lambda: it.telegram.answers_to(asked))
        assert it.telegram.in_chat(OTHER) == []
        async with Database(dsn) as database:
            assert await load_holds(database) == []


async def test_what_was_said_long_ago_is_not_followed(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it:
        asked = it.telegram.say(CHAT, "/hold crawl@0 2h now", age_s=3600)
        async with it.teller():
            await until(lambda: it.telegram.answers_to(asked))
            assert "too long ago" in it.telegram.answers_to(asked)[0].text
        async with Database(dsn) as database:
            assert await load_holds(database) == []


async def test_the_next_keeper_does_not_follow_a_command_again(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it:
        async with it.teller("w1"):
            asked = it.telegram.say(CHAT, "/status")
            await until(lambda: it.telegram.answers_to(asked))
        async with it.teller("w2"):
            later = it.telegram.say(CHAT, "/status")
            await until(lambda: it.telegram.answers_to(later))
        assert len(it.telegram.answers_to(asked)) == 1


async def test_another_poller_of_the_same_bot_stops_nothing_but_commands(
    dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        asked = it.telegram.say(CHAT, "/status")
        await until(lambda: it.telegram.answers_to(asked))
        await it.telegram.call("getUpdates", {"timeout": "0"})
        teller.report([incident()])
        await until(lambda: it.telegram.shown("🔴", CHAT))
        await until(lambda: it.telegram.conflicts == 1)
    assert "another program polls the same bot" in capsys.readouterr().out


async def test_a_command_line_takes_an_incident(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller, Database(dsn) as database:
        teller.report([incident()])
        await until(lambda: it.telegram.shown("🔴", CHAT))
        requests = Requests(database)
        for name, expected in (("nothing@9", "no open incident"), ("flapping: crawl@0", "taken, no more")):
            asked = await requests.ask(FOR_THE_TELLER, name, "ack", "grace")
            with anyio.fail_after(10):
                while (answer := await requests.answer_of(asked)) is None:  # noqa: ASYNC110 - another task answers
                    await anyio.sleep(0.02)
            assert expected in answer
        await until(lambda: it.telegram.shown("taken by grace", CHAT))
