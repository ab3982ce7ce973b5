"""From an incident to a message that is sent, edited, closed, and never lost."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from lib.store.connections import Database
from tests.integration.alerting import CHAT, HASTE, OTHER, bench, incident
from tests.waiting import until


async def test_an_incident_is_told_edited_and_closed(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        teller.report([incident()])
        await until(lambda: it.telegram.in_chat(CHAT))
        message = it.telegram.in_chat(CHAT)[0]
        for said in ("flapping: crawl@0 on w1", "w1", "exit code 1", "second line", "restarted 3 times", "#flapping"):
            assert said in message.text
        teller.report([incident(why="killed for memory")])
        await until(lambda: "killed for memory" in message.text)
        teller.report([])
        await until(lambda: message.text.startswith("✅"))
        await until(lambda: any(one.reply_to == message.number and "over" in one.text for one in it.telegram.messages))
        assert it.telegram.shown("last lines", CHAT) == [message]


async def test_one_cause_that_two_keepers_see_is_one_message(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller("w1") as one, it.teller("w2") as two:
        one.report([incident("away: redis", units=("crawl@0",))])
        two.report([incident("away: redis", units=("descriptions@3",))])
        await until(lambda: it.telegram.shown("crawl@0, descriptions@3", CHAT))
        one.report([])
        await anyio.sleep(2 * HASTE.calm_s)
        assert not it.telegram.shown("✅", CHAT), "one of them still sees it"
        two.report([])
        await until(lambda: it.telegram.shown("✅ over after", CHAT))
        assert len(it.telegram.shown("away: redis on w1", CHAT)) == 2, "the message and the word that it is over"


async def test_nothing_is_lost_while_telegram_is_away_and_the_second_channel_is_told_once(
    dsn: str, tmp_path: Path
) -> None:
    async with bench(dsn, tmp_path) as it, it.hook() as hook, it.teller(alert_webhook=hook.url) as teller:
        it.telegram.go_away("reset")
        teller.report([incident()])
        await until(lambda: hook.taken)
        assert hook.taken[0]["purpose"] == "incident"
        assert hook.taken[0]["incident"]["key"] == "flapping: crawl@0"
        it.telegram.come_back()
        await until(lambda: it.telegram.shown("🔴", CHAT))
        teller.report([])
        await until(lambda: len(hook.taken) == 2 and it.telegram.shown("✅ over after", CHAT))
        assert hook.taken[1]["purpose"] == "over"
        assert len(it.telegram.shown("last lines", CHAT)) == 1


async def test_what_was_over_before_telegram_came_back_is_told_as_over(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        it.telegram.go_away("502")
        teller.report([incident()])
        await until(lambda: teller.ledger.book.messages)
        teller.report([])
        await until(lambda: not teller.ledger.book.open_cases())
        it.telegram.come_back()
        await until(lambda: it.telegram.in_chat(CHAT))
        assert [one.text[0] for one in it.telegram.in_chat(CHAT)] == ["✅"]


async def test_a_lost_answer_is_repeated_once_and_says_so(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        it.telegram.lose_answers(1)
        teller.report([incident()])
        await until(lambda: len(it.telegram.in_chat(CHAT)) == 2)
        first, second = it.telegram.in_chat(CHAT)
        assert "twice" not in first.text
        assert "may stand here twice" in second.text
        teller.report([incident(why="signal 9")])
        await until(lambda: "signal 9" in second.text)
        assert "signal 9" not in first.text


async def test_a_keeper_killed_between_sending_and_recording_costs_one_repetition(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it:
        async with it.teller(killed=True) as teller:
            put = teller.ledger.put

            async def dies_after_sending(*rows: object, **given: object) -> bool:
                if any(getattr(row, "shown", None) for row in rows):
                    await anyio.sleep(60)  # never recorded: the test ends it here
                return await put(*rows, **given)  # type: ignore[arg-type]

            teller.ledger.put = dies_after_sending  # type: ignore[method-assign]
            teller.report([incident()])
            await until(lambda: it.telegram.in_chat(CHAT))
        async with it.teller() as teller:
            teller.report([incident()])
            await until(lambda: len(it.telegram.in_chat(CHAT)) == 2)
            await until(lambda: not [one for one in teller.ledger.book.messages.values() if one.waiting])
            assert "may stand here twice" in it.telegram.in_chat(CHAT)[1].text
            assert len(it.telegram.in_chat(CHAT)) == 2


async def test_another_keeper_takes_over_and_edits_the_same_message(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller("w2") as two:
        await until(lambda: two.ledger.lease)
        async with it.teller("w1") as one:
            one.report([incident()])
            await until(lambda: it.telegram.shown("🔴", CHAT))
        await it.give_up_lease()
        await until(lambda: two.ledger.lease is None)
        async with it.teller("w3") as three:
            await until(lambda: three.ledger.lease)
            assert two.ledger.lease is None
            async with it.teller("w1") as one:
                one.report([incident(why="another reason")])
                await until(lambda: it.telegram.shown("another reason", CHAT))
        assert len(it.telegram.shown("last lines", CHAT)) == 1


async def test_postgresql_away_is_told_by_the_last_teller_and_not_told_again_when_it_is_back(
    dsn: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(bench(dsn, tmp_path))
        gate = await stack.enter_async_context(it.gate())
        one = await stack.enter_async_context(it.teller("w1"))
        await until(lambda: one.ledger.lease)
        two = await stack.enter_async_context(it.teller("w2"))
        one.report([incident()])
        await until(lambda: it.telegram.shown("🔴", CHAT))
        gate.shut()
        away = incident("away: postgresql", host="")
        one.report([incident(), away])
        two.report([away])
        await until(lambda: it.telegram.shown("away: postgresql", CHAT))
        assert two.ledger.lease is None
        it.telegram.say(CHAT, "/ack")
        await until(lambda: it.telegram.shown("taken, no more reminders", CHAT))
        await gate.open()
        one.report([incident()])
        two.report([])
        await until(lambda: it.telegram.shown("✅ over after", CHAT))
        async with Database(dsn) as database:
            await it.settled(one)
            rows = await database.fetch("SELECT key, closed_at IS NULL AS open, acked_by FROM incident ORDER BY key")
        assert [tuple(row) for row in rows] == [
            ("away: postgresql", False, "@ada"),
            ("flapping: crawl@0", True, "@ada"),
        ]
        assert len(it.telegram.shown("away: postgresql on w1\n", CHAT)) == 1


async def test_a_keeper_restarted_while_postgresql_is_away_goes_on(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.gate() as gate:
        async with it.teller(killed=True) as teller:
            teller.report([incident()])
            await until(lambda: it.telegram.shown("🔴", CHAT))
            await it.settled(teller)
            gate.shut()
        async with it.teller() as teller:
            away = incident("away: postgresql", host="")
            teller.report([incident(why="as before"), away])
            await until(lambda: it.telegram.shown("away: postgresql", CHAT) and it.telegram.shown("as before", CHAT))
            assert len(it.telegram.in_chat(CHAT)) == 2
            await gate.open()
            await until(lambda: teller.ledger.online)
            await it.settled(teller)
        async with Database(dsn) as database:
            assert await database.fetchval("SELECT count(*) FROM alert_outbox WHERE number IS NOT NULL") == 2


async def test_a_teller_that_alone_lost_postgresql_closes_what_it_told_meanwhile(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.gate() as gate, it.teller("w1") as one:
        await until(lambda: one.ledger.lease)
        gate.shut()
        one.report([incident("away: postgresql", host="w1")])
        await until(lambda: it.telegram.shown("🔴 away: postgresql", CHAT))
        it.dsn = dsn
        await it.give_up_lease()
        async with it.teller("w2") as two:
            await until(lambda: two.ledger.lease)
            two.report([incident("silent: crawl@0")])
            await until(lambda: it.telegram.shown("🔴 silent: crawl@0", CHAT))
            await gate.open()
            await until(lambda: it.telegram.shown("told by another keeper from now on", CHAT))
            assert one.ledger.lease is None
            await until(lambda: len(it.telegram.shown("🔴 away: postgresql", CHAT)) == 1)  # it is open, so two tells it
            assert len(it.telegram.shown("away: postgresql", CHAT)) == 2


async def test_a_flood_is_a_digest(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        many = [incident(f"oom: enrich@{number}", since=1_790_000_000.0 + number) for number in range(40)]
        teller.report(many)
        await until(lambda: it.telegram.shown("37 more incidents at once", CHAT))
        await until(lambda: len(it.telegram.in_chat(CHAT)) == 4)
        await it.settled(teller)
        assert len(it.telegram.in_chat(CHAT)) == 4
        teller.report([])
        await until(lambda: it.telegram.shown("over after", CHAT))
        await until(lambda: all(not case.open for case in teller.ledger.book.cases.values()))


async def test_reminders_end_with_an_acknowledgement(dsn: str, tmp_path: Path) -> None:
    haste = replace(HASTE, reminders_s=(0.3,))
    async with bench(dsn, tmp_path) as it, it.teller(policy=haste) as teller:
        teller.report([incident()])
        await until(lambda: it.telegram.shown("⏰ still open", CHAT))
        it.telegram.say(CHAT, "/ack")
        await until(lambda: it.telegram.shown("👀", CHAT))
        await it.settled(teller)
        reminders = len(it.telegram.shown("⏰ still open", CHAT))
        await anyio.sleep(0.8)
        assert len(it.telegram.shown("⏰ still open", CHAT)) == reminders
        assert it.telegram.shown("taken by @ada", CHAT)


async def test_a_group_that_moves_is_followed_also_by_the_next_keeper(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it:
        async with it.teller() as teller:
            it.telegram.move(CHAT, -100777)
            teller.report([incident()])
            await until(lambda: it.telegram.shown("🔴", -100777))
            it.telegram.say(-100777, "/status")
            await until(lambda: it.telegram.shown("1 open", -100777))
        async with it.teller("w2") as teller:
            await until(lambda: teller.ledger.lease)
            assert [chat.target for chat in teller.ledger.book.chats.values()] == [-100777]


async def test_a_chat_that_refuses_is_left_alone_and_the_others_are_told(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path, CHAT, OTHER) as it, it.teller() as teller:
        it.telegram.block(CHAT)
        teller.report([incident()])
        await until(lambda: it.telegram.shown("takes no alerts: Forbidden", OTHER))
        assert it.telegram.shown("🔴", OTHER)
        tries = len([call for call in it.telegram.calls if call["code"] == 403])
        it.telegram.unblock(CHAT)
        it.telegram.say(CHAT, "/help")
        await until(lambda: it.telegram.shown("🔴", CHAT))
        assert tries == 1


async def test_a_chat_that_refuses_and_is_the_only_one_makes_the_second_channel_speak(dsn: str, tmp_path: Path) -> None:
    patient = replace(HASTE, second_s=600.0)
    async with bench(dsn, tmp_path) as it, it.hook() as hook, it.teller(policy=patient, alert_webhook=hook.url) as one:
        it.telegram.block(CHAT, "bot was blocked by the user")
        one.report([incident()])
        await until(lambda: {taken["purpose"] for taken in hook.taken} == {"notice", "incident"})


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_a_429_is_obeyed(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        it.telegram.hold_off(CHAT, 1.2)
        teller.report([incident()])
        await until(lambda: it.telegram.in_chat(CHAT))
        (refused,) = [call for call in it.telegram.calls if call["code"] == 429]
        asked_for_s = int(refused["result"].removeprefix("Too Many Requests: retry after "))
        assert it.telegram.in_chat(CHAT)[0].at - refused["at"] >= asked_for_s


async def test_a_deleted_message_is_sent_anew(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller() as teller:
        teller.report([incident()])
        await until(lambda: it.telegram.in_chat(CHAT))
        await it.settled(teller)
        it.telegram.delete(CHAT, it.telegram.in_chat(CHAT)[0].number)
        teller.report([incident(why="worse")])
        await until(lambda: it.telegram.shown("worse", CHAT))
        assert "twice" not in it.telegram.in_chat(CHAT)[0].text


async def test_a_wrong_token_speaks_through_the_second_channel(dsn: str, tmp_path: Path) -> None:
    async with (
        bench(dsn, tmp_path) as it,
        it.hook() as hook,
        it.teller(telegram_token="999999:another-bot-of-nobody", alert_webhook=hook.url) as teller,
    ):
        teller.report([incident()])
        await until(lambda: hook.taken)


async def test_no_secret_reaches_the_tables_the_spool_or_the_chat(dsn: str, tmp_path: Path) -> None:
    async with bench(dsn, tmp_path) as it, it.teller(source_keys=("jooble=0123-secret-of-jooble",)) as teller:
        lines = (
            "postgresql://vakanz:hunter22@db/vakanz",
            f"url bot{it.config.telegram_token}/x",
            "0123-secret-of-jooble",
        )
        teller.report([incident(lines=lines, why="password=hunter22")])
        await until(lambda: it.telegram.in_chat(CHAT))
        await it.settled(teller)
        async with Database(dsn) as database:
            rows = await database.fetch(
                "SELECT text FROM alert_outbox UNION ALL SELECT content::text FROM incident_report"
                " UNION ALL SELECT content::text FROM incident"
            )
        kept = [row[0] for row in rows] + [(tmp_path / "w1" / "alerts.json").read_text(), it.telegram.messages[0].text]
        assert len(rows) == 3
        for text in kept:
            assert "hunter22" not in text
            assert it.config.telegram_token not in text
            assert "0123-secret" not in text
