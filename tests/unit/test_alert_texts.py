"""What an alert looks like: fitting, escaped, and without secrets."""

from __future__ import annotations

import time
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.alerts.cases import Case
from keeper.alerts.commands import Command, Unclear, acknowledge, nearest, parse
from keeper.alerts.masking import Mask
from keeper.alerts.render import MOST_UNITS, answer, over, plain, reminder, repeated, show_case, span, utf16
from keeper.incident import Incident, Kind
from lib.life.config import Config
from tests.sim.telegram import Refusal, Telegram
from tests.sim.telegram_markup import parse_html

_TOKEN = "123456789:AAE-notAReal_token0123456789abcdefgh"
_CONFIG = Config(
    dsn="postgresql://vakanz:db%2Fpassword@db/vakanz",
    direct_dsn="postgresql://vakanz:directpassword@db/vakanz",
    redis_url="redis://:redispassword@db:6379/0",
    source_keys=("adzuna_app_key=0123456789abcdef",),
    proxies=("http://me:proxypassword@proxy.example:8080",),
    telegram_token=_TOKEN,
    alert_smtp="smtp://vakanz:mailpassword@mail.example:587",
)


def case(**changes: object) -> Case:
    incident = Incident(
        key="silent: crawl@0",
        kind=Kind.SILENT,
        title="crawl@0 is silent",
        since=1_790_000_000.0,
        host="w1",
        units=("crawl@0",),
        why="no heartbeat for 93 s",
        lines=("first", "second"),
        did=("killed", "started"),
    )
    return Case(
        id="3f2a77aa-0000-4000-8000-000000000000",
        incident=replace(incident, **changes),  # type: ignore[arg-type]
        hosts=("w1",),
        opened_at=1_790_000_000.0,
    )


def test_an_alert_says_all_that_a_person_needs() -> None:
    assert parse_html(show_case(case())).splitlines() == [
        "🔴 crawl@0 is silent",
        "where w1",
        "since 21 Sep 14:13:20 UTC",
        "why no heartbeat for 93 s",
        "units crawl@0",
        "done killed; started",
        "last lines",
        "first",
        "second",
        "help docs/runbook.md#silent",
        "/ack 3f2a77",
    ]


def test_a_case_that_is_over_or_taken_says_so() -> None:
    taken = replace(case(), acked_at=1.0, acked_by="@ada & co")
    assert "taken by @ada & co" in parse_html(show_case(taken))
    ended = replace(case(), closed_at=1_790_000_700.0)
    assert "over 21 Sep 14:25:00 UTC" in parse_html(show_case(ended))
    assert "/ack" not in show_case(ended)
    assert over(ended) == "✅ over after 12 min: crawl@0 is silent"


def test_lines_are_cut_from_the_front_and_that_is_said() -> None:
    text = show_case(case(lines=tuple(f"line {number} {'x' * 280}" for number in range(20))))
    assert utf16(text) <= MOST_UNITS
    assert "line 19" in text
    assert "line 0 " not in text
    assert "earlier lines left out" in text


_HOSTILE = st.text(max_size=400) | st.sampled_from(
    ["<b>", "</pre>", "&amp;", "&" * 4000, "😀" * 3000, "x" * 9000, "\ud800"]
)


@given(
    title=_HOSTILE, why=_HOSTILE, host=_HOSTILE, units=st.lists(_HOSTILE, max_size=40).map(tuple),
    lines=st.lists(_HOSTILE, max_size=25).map(tuple), did=st.lists(_HOSTILE, max_size=9).map(tuple),
    facts=st.dictionaries(_HOSTILE, _HOSTILE, max_size=9), since=st.floats(),
)  # fmt: skip
def test_any_incident_gives_markup_that_telegram_takes(**fields: object) -> None:
    one = case(**fields)
    one = replace(one, incident=Mask(_CONFIG).incident(one.incident))
    for text in (show_case(one), over(one), reminder(one, 0.0), repeated(show_case(one)), repeated(over(one))):
        assert utf16(text) <= MOST_UNITS
        parse_html(text).encode()
    assert orjson.loads(orjson.dumps(plain(show_case(one))))


@given(_HOSTILE, st.lists(_HOSTILE, max_size=200))
def test_any_answer_gives_markup_that_telegram_takes(title: str, lines: list[str]) -> None:
    mask = Mask(_CONFIG)
    text = answer(mask.text(title), [mask.text(line) for line in lines])
    assert utf16(text) <= MOST_UNITS
    parse_html(text)


@pytest.mark.parametrize("text", ["<b>open", "</b>", "a < b", "<b><i></b></i>", "<marquee>"])
async def test_the_simulated_telegram_refuses_bad_markup(text: str) -> None:
    telegram = Telegram()
    telegram.add_chat(1)
    with pytest.raises(Refusal, match="can't parse entities"):
        await telegram.call("sendMessage", {"chat_id": "1", "text": text, "parse_mode": "HTML"})


@pytest.mark.parametrize(
    "secret",
    [
        "db%2Fpassword", "db/password", "redispassword", "0123456789abcdef", "proxypassword", _TOKEN, "mailpassword",
        "directpassword",
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "value '{}'", "https://x.example/?q={}&b=1", 'json {{"a": "{}"}}'])
def test_what_the_configuration_holds_is_hidden_wherever_it_stands(secret: str, around: str) -> None:
    assert secret not in Mask(_CONFIG).text(around.format(secret))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("postgresql://ada:geheim1@db/x failed", "postgresql://***@db/x failed"),
        ("redis://:geheim1@db:6379", "redis://***@db:6379"),
        ("proxy ada:geheim1@proxy.example:8080 refused", "proxy ***@proxy.example:8080 refused"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("{'Authorization': 'ApiKey geheim1', 'Accept': '*/*'}", "{'Authorization': '***', 'Accept': '*/*'}"),
        ("sent Bearer abc.def-ghi", "sent Bearer ***"),
        ("postgresql://ada:ge@heim1@db/x", "postgresql://***@db/x"),
        ("https://api.telegram.org/bot987654321:AAF0123456789abcdefghijklmnopqrstuv/sendMessage",
         "https://api.telegram.org/bot***/sendMessage"),
        ("GET /jobs?api_key=12345&page=2", "GET /jobs?api_key=***&page=2"),
        ('{"password": "geheim1", "user": "ada"}', '{"password": "***", "user": "ada"}'),
        ("VAKANZ_TELEGRAM_TOKEN=abc", "VAKANZ_TELEGRAM_TOKEN=***"),
        ("PGPASSWORD=geheim1 psql", "PGPASSWORD=*** psql"),
        ("set-cookie: session=abc; theme=dark", "set-cookie: ***"),
        ("tok eyJhbGciOiJI.eyJzdWIiOiIx.c2ln end", "tok *** end"),
        ("ada@example.org wrote at 12:30", "ada@example.org wrote at 12:30"),
        ("shard 3: 50 rows in 0.2 s", "shard 3: 50 rows in 0.2 s"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(line: str, shown: str) -> None:
    assert Mask(Config()).text(line) == shown


@pytest.mark.parametrize(
    "sign", ["a", "-", ":", "/", "@", "token", "password=", "eyJ", "1:", "http://", "Bearer ", "\\", '"']
)
def test_masking_takes_linear_time(sign: str) -> None:
    mask = Mask(_CONFIG)
    before = time.process_time()
    mask.text(sign * (1_000_000 // len(sign)))
    assert time.process_time() - before < 0.5


def test_times_are_told_as_people_say_them() -> None:
    assert [span(seconds) for seconds in (0, 45, 130, 12_000, 400_000)] == [
        "0 s",
        "45 s",
        "2 min",
        "3 h 20 min",
        "4 days",
    ]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/status", Command("status", ())),
        ("/Status@Vakanz_Bot", Command("status", ())),
        ("/hold crawl@0 2h  new disk", Command("hold", ("crawl@0", "2h", "new", "disk"))),
        ("/ack\n3f2a", Command("ack", ("3f2a",))),
        ("/status@other_bot", None),
        ("status", None),
        ("/", None),
        ("/stätus", None),
        ("look at /status", None),
    ],
)
def test_a_command_is_read_or_left_alone(text: str, command: Command | None) -> None:
    assert parse(text, "vakanz_bot") == command


def test_a_case_is_taken_by_handle_key_reply_or_all_together() -> None:
    one = case()
    two = replace(case(key="other", title="other"), id="9e0000aa-0000-4000-8000-000000000000")
    three = replace(case(key="third", title="third"), id="9e00bbbb-0000-4000-8000-000000000000", digest=two.id)
    cases = [one, two, three]
    assert acknowledge(("3f2a77",), cases, None).acked == (one.id,)
    assert acknowledge(("silent:", "crawl@0"), cases, None).acked == (one.id,)
    assert acknowledge((), cases, one.id).acked == (one.id,)
    assert acknowledge(("9e0000",), cases, None).acked == (two.id, three.id), "a digest with what it tells of"
    assert acknowledge((), cases, None).acked == (one.id, two.id, three.id)
    assert acknowledge((), [replace(one, acked_at=1.0)], None).acked == ()
    with pytest.raises(Unclear, match="means several: 9e0000, 9e00bb"):
        acknowledge(("9e00",), cases, None)
    with pytest.raises(Unclear, match="no open incident is called ffff; open: 3f2a77"):
        acknowledge(("ffff",), cases, None)


def test_near_names_are_offered() -> None:
    assert nearest("description@3", ["descriptions@3", "descriptions@4", "crawl@0"])[0] == "descriptions@3"
    assert nearest("zebra", ["descriptions@3"]) == []
