"""What the gateway decides without asking anybody: parameters, prices, and what answers mean."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.gateway.delivery import Delivered, Delivery
from api.gateway.meanings import Meaning, hasdata, llm, of_status
from api.gateway.parameters import BadParameters, public_page
from api.gateway.providers import PROVIDERS, Operation, Terms, packed
from api.gateway.refusals import NotBought, of_answer, of_ledger, of_pace
from api.gateway.server import accounts
from api.gateway.upstream import Answer
from lib.errors import ConfigError, Malformed, RateLimited
from lib.life.config import Config, load
from lib.net.breaker import Event as Health
from lib.net.politeness import Resting
from lib.spend.budget import Full, Pending, ShareSpent, Shut, Spent
from lib.spend.client import BadCall, CachedOnly, refusal
from lib.spend.sse import MOST_BYTES, Event, Events, written

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_HASDATA = PROVIDERS["hasdata"].operations
_CHAT = PROVIDERS["llm"].operations["chat"]
_TERMS = Terms("small", 2.0)


def _operations() -> Iterator[tuple[str, Operation]]:
    for name, provider in PROVIDERS.items():
        for operation, row in provider.operations.items():
            yield f"{name}/{operation}", row


@pytest.mark.parametrize("operation", [pytest.param(row, id=name) for name, row in _operations()])
@given(st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=4), st.data())
def test_any_parameters_are_taken_or_refused(operation: Operation, given_: dict[str, str], data: st.DataObject) -> None:
    known = data.draw(st.dictionaries(st.sampled_from(sorted(operation.parameters)), st.text(max_size=60)))
    parameters = given_ | known
    try:
        operation.check(parameters)
    except BadParameters as error:
        assert "\0" not in str(error) and len(str(error)) < 300
        return
    assert operation.ceiling(parameters, _TERMS) >= 1
    packed(operation, parameters, _TERMS)


@pytest.mark.parametrize(
    ("name", "credits"),
    [("indeed_listing", 5), ("glassdoor_listing", 5), ("indeed_job", 1), ("glassdoor_job", 1), ("web", 1)],
)
def test_hasdata_costs_what_was_agreed(name: str, credits: int) -> None:  # noqa: A002 -- what it is called
    operation = _HASDATA[name]
    assert operation.ceiling({}, _TERMS) == credits
    body = orjson.dumps({"requestMetadata": {"id": "r-1", "status": "ok"}})
    assert operation.read(body, _TERMS) == Meaning("ok", credits, Health.SUCCESS, "r-1")


def test_a_page_is_asked_for_at_the_price_of_one_credit() -> None:
    query, body = packed(_HASDATA["web"], {"url": "https://jobs.example.com/1", "proxyCountry": " "}, _TERMS)
    assert query == {} and body is not None
    sent = orjson.loads(body)
    assert (sent["jsRendering"], sent["proxyType"], sent["proxyCountry"]) == (False, "datacenter", "DE")
    assert "json" in sent["outputFormat"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://2130706433/",
        "http://0x7f.1/", "http://localhost/", "http://localhost./", "http://db/", "http://db.internal/x",
        "http://printer.local/", "ftp://example.com/", "file:///etc/passwd", "//example.com", "javascript:alert(1)",
        "https://user:secret@example.com/", "https://[::ffff:10.0.0.1]/", "https://example.com:22x/", "",
        "http://example.com:22/", "https://example.com:8443/", "http://nas.lan/", "http://kubernetes.default.svc/",
    ],
)  # fmt: skip
def test_only_public_pages_are_looked_at(url: str) -> None:
    with pytest.raises(ValueError, match="public web page"):
        public_page(url)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://jobs.example.com/a?b=c%2Bd", "https://jobs.example.com/a?b=c%2Bd"),
        ("http://93.184.215.14/", "http://93.184.215.14/"),
        ("https://ärzte.example/ü", "https://xn--rzte-koa.example/%C3%BC"),
        ("http://jobs.example.com/\r\nHost: db", "http://jobs.example.com/Host:%20db"),
        ("http://jobs.example.com/#@127.0.0.1/", "http://jobs.example.com/"),
    ],
)
def test_public_pages_are_asked_for_as_they_were_read(url: str, read: str) -> None:
    _, body = packed(_HASDATA["web"], {"url": url}, _TERMS)
    assert body is not None and orjson.loads(body)["url"] == read


@pytest.mark.parametrize(
    ("name", "url", "taken"),
    [
        ("indeed_job", "https://de.indeed.com/viewjob?jk=0123456789abcdef", True),
        ("indeed_job", "https://evil.example/?x=https://de.indeed.com/", False),
        ("indeed_job", "https://de.indeed.com.evil.example/viewjob", False),
        ("indeed_job", "https://de.indeed.com@evil.example/", False),
        ("indeed_job", "http://de.indeed.com/viewjob?jk=1", False),
        ("glassdoor_job", "https://www.glassdoor.de/job-listing/?jl=1", True),
        ("glassdoor_job", "https://de.glassdoor.ch/job-listing/?jl=1", True),
        ("glassdoor_job", "https://de.indeed.com/viewjob?jk=1", False),
    ],
)
def test_jobs_are_asked_for_by_their_sites_addresses_only(name: str, url: str, taken: bool) -> None:
    if taken:
        _HASDATA[name].check({"url": url})
    else:
        with pytest.raises(BadParameters):
            _HASDATA[name].check({"url": url})


def _said(*contents: str) -> str:
    return orjson.dumps([{"role": "user", "content": content} for content in contents]).decode()


@given(st.lists(st.text(max_size=50), min_size=1, max_size=3), st.integers(1, 4_000))
def test_a_conversation_never_has_more_tokens_than_its_ceiling_says(contents: list[str], most: int) -> None:
    parameters = {"messages": _said(*contents), "max_tokens": str(most)}
    _CHAT.check(parameters)
    tokens = sum(len(content.encode()) for content in contents) + most
    assert _CHAT.ceiling(parameters, _TERMS) * 1000 >= tokens * 2.0


def test_a_conversation_is_sent_as_a_stream_that_counts() -> None:
    parameters = {"messages": _said("Hallo"), "max_tokens": "9", "temperature": "0.5", "format": "json"}
    _, body = packed(_CHAT, parameters, _TERMS)
    assert body is not None
    sent = orjson.loads(body)
    assert sent["model"] == "small" and sent["stream"] and sent["stream_options"] == {"include_usage": True}
    assert sent["messages"] == [{"role": "user", "content": "Hallo"}]
    assert (sent["max_tokens"], sent["temperature"], sent["response_format"]) == (9, 0.5, {"type": "json_object"})


@given(st.integers(100, 599))
def test_every_status_but_200_costs_nothing_or_all(status: int) -> None:
    meaning = of_status(status)
    if status == 200:
        assert meaning is None
        return
    assert meaning is not None and not meaning.good
    assert meaning.credits == (None if status in (502, 504) or 200 < status < 300 else 0)


@given(st.binary(max_size=200))
def test_any_body_has_a_meaning(body: bytes) -> None:
    for meaning in (hasdata(body, 5), llm(body, _TERMS.credits_for)):
        assert meaning.good is False or meaning.credits is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b"{}", b'{"requestMetadata": 1}', b'{"requestMetadata": []}', b"[" * 5_000]
)
def test_a_body_that_says_nothing_may_have_cost_all(body: bytes) -> None:
    assert hasdata(body, 5).credits is None


def test_a_body_that_says_that_it_failed_costs_nothing() -> None:
    assert hasdata(b'{"requestMetadata": {"status": "error", "id": 7}}', 5) == Meaning("failed", 0, Health.FAILURE)


@pytest.mark.parametrize("value", [b'"Team \\ud83d"', b"1e999", b'"raw \x01"', b'"\xff"'])
def test_one_spoilt_value_costs_no_answer(value: bytes) -> None:
    body = b'{"requestMetadata": {"status": "ok", "id": "a"}, "jobs": [' + value + b"]}"
    assert hasdata(body, 5) == Meaning("ok", 5, Health.SUCCESS, "a")


def _stream(*chunks: object, end: bool = True) -> bytes:
    body = b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks)
    return body + (b"data: [DONE]\n\n" if end else b"")


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (_stream({"id": "c-1"}, {"usage": {"prompt_tokens": 900, "completion_tokens": 101}}), ("ok", 3)),
        (_stream({"usage": {"prompt_tokens": 1, "completion_tokens": 0}}, end=False), ("ok", 1)),
        (_stream({"usage": {"prompt_tokens": 5, "completion_tokens": 5}}, {"usage": None}), ("ok", 1)),
        (_stream({"choices": []}), ("unmetered", None)),
        (_stream({"choices": []}, end=False), ("cut", None)),
        (_stream({"usage": {"prompt_tokens": -5, "completion_tokens": 1}}), ("unmetered", None)),
        (_stream({"usage": {"prompt_tokens": True, "completion_tokens": 1}}), ("unmetered", None)),
        (_stream({"usage": {"prompt_tokens": 10**15, "completion_tokens": 1}}), ("unmetered", None)),
        (_stream({"usage": {"prompt_tokens": 1.5, "completion_tokens": "1"}}), ("unmetered", None)),
        (_stream([], 7, "x", {"usage": []}), ("unmetered", None)),
        (b"data: {\n\n", ("cut", None)),
        (b"data: \xff\xfe\n\n", ("cut", None)),
    ],
)
def test_a_stream_costs_the_tokens_that_it_counted(body: bytes, meaning: tuple[str, int | None]) -> None:
    assert llm(body, _TERMS.credits_for)[:2] == meaning


_EVENTS = st.lists(st.builds(Event, st.sampled_from(["", "paid"]), st.from_regex(r"[^\r\n\x00]{1,20}", fullmatch=True)))


@given(_EVENTS, st.data())
def test_events_are_the_same_however_their_bytes_arrive(events: list[Event], data: st.DataObject) -> None:
    body = b"".join(map(written, events))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    reader, found = Events(), []
    for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True):
        found += reader.feed(body[start:stop])
    assert found == [Event(one.name, one.data) for one in events]


def test_an_event_without_an_end_is_given_up() -> None:
    reader = Events()
    with pytest.raises(Malformed):
        for _ in range(MOST_BYTES // 900):
            list(reader.feed(b"data: " + b"x" * 990 + b"\n"))


def test_comments_and_other_fields_are_skipped() -> None:
    body = b": ping\nid: 7\nretry: 10\ndata:one\r\ndata: two\r\n\r\n\n\nevent: x\n\n"
    assert list(Events().feed(body)) == [Event("", "one\ntwo")]


@pytest.mark.parametrize(
    ("refused", "status", "word", "retry_after_s"),
    [
        (of_ledger(Spent("x", 9.0)), 402, "budget", 9.0),
        (of_ledger(ShareSpent("x", 9.0)), 403, "share", 9.0),
        (of_ledger(Full("x", 1.0)), 429, "busy", 1.0),
        (of_ledger(Pending("x", 1.0)), 429, "busy", 1.0),
        (of_ledger(Shut("x", 900.0)), 502, "shut", 900.0),
        (of_pace(RateLimited("x", _NOW + timedelta(seconds=3)), _NOW), 429, "busy", 3.0),
        (of_pace(Resting("x", _NOW - timedelta(seconds=3)), _NOW), 503, "resting", 1.0),
        (of_answer(Answer(Meaning("busy", 0, None), status=429, pause_s=4.0), 0), 429, "busy", 4.0),
        (of_answer(Answer(Meaning("failed", 0, None), status=500), 0), 502, "provider", None),
        (of_answer(Answer(Meaning("cut", None, None), status=200), 5), 502, "lost", None),
    ],
)
def test_every_refusal_has_a_status_and_a_word(
    refused: NotBought, status: int, word: str, retry_after_s: float | None
) -> None:
    assert (refused.status, refused.word, refused.retry_after_s) == (status, word, retry_after_s)


@pytest.mark.parametrize(
    ("status", "why", "passing"),
    [
        (402, "budget", False),
        (403, "share", False),
        (429, "busy", True),
        (502, "provider", False),
        (503, "provider", True),
        (400, None, False),
        (401, None, False),
        (404, None, False),
        (422, None, False),
        (500, None, False),
        (302, None, False),
    ],
)
def test_callers_know_what_to_do_next(status: int, why: str | None, passing: bool) -> None:
    said = refusal(status, "3", b'{"error": "x", "detail": "said", "status": 418}', _NOW)
    assert said.passing is passing and "said" in str(said.error)
    if why is None:
        assert isinstance(said.error, BadCall)
    else:
        assert isinstance(said.error, CachedOnly)
        assert (said.error.why, said.error.status, said.after_s) == (why, 418, 3.0)


@given(st.integers(201, 599), st.none() | st.text(), st.binary(max_size=60))
def test_any_answer_of_a_gateway_means_something(status: int, retry_after: str | None, body: bytes) -> None:
    assert str(refusal(status, retry_after, body, _NOW).error)


async def test_all_see_all_of_a_delivery() -> None:
    delivery = Delivery("a")

    async def follow(pause: bool) -> bytes:
        seen = b""
        async for piece in delivery.pieces():
            seen += piece
            if pause:
                await asyncio.sleep(0)
        return seen

    tasks = [asyncio.create_task(follow(pause)) for pause in (False, True)]
    for piece in (b"a", b"b", b"c"):
        delivery.add(piece)
        await asyncio.sleep(0)
    tasks.append(asyncio.create_task(follow(False)))
    delivery.end(Delivered(b"abc", 1, _NOW))
    assert await asyncio.gather(*tasks) == [b"abc"] * 3
    assert await delivery.whole("a") == Delivered(b"abc", 1, _NOW)
    assert await delivery.whole("b") == Delivered(b"abc", 0, _NOW, again=True)  # it is paid for once


async def test_a_delivery_that_ends_badly_is_told_after_what_came() -> None:
    delivery, seen = Delivery("a"), []
    delivery.add(b"a")
    delivery.end(NotBought(502, "lost", "cut off"))
    delivery.end(Delivered(b"a", 1, _NOW))  # the first end counts
    await delivery.begun()
    with pytest.raises(NotBought, match="cut off"):
        async for piece in delivery.pieces():
            seen.append(piece)  # noqa: PERF401 - what came before the end counts
    assert seen == [b"a"]


def test_a_key_of_a_provider_that_nobody_knows_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="there is no provider hasdta; there are hasdata, llm"):
        accounts(Config(provider_keys=("hasdta=0123456789",)), PROVIDERS)


def test_providers_without_a_key_or_an_address_are_not_set_up() -> None:
    assert accounts(Config(), PROVIDERS) == {}
    config = Config(provider_keys=("hasdata=0123456789",), llm_url="http://localhost:11434/v1", llm_model="small")
    found = accounts(config, PROVIDERS)
    assert found["hasdata"].key == "0123456789" and found["llm"].key == ""
    assert "0123456789" not in repr(config)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"GATEWAY_KEY": "short"}, "gateway_key: 16 to 200"),
        ({"GATEWAY_URL": "gateway:8090"}, "gateway_url: an http"),
        ({"PROVIDER_KEYS": "hasdata=short"}, "provider_keys: entry 1"),
        ({"HASDATA_URL": "http://api.example", "PROVIDER_KEYS": "hasdata=0123456789"}, "hasdata_url: an https"),
        ({"LLM_URL": "http://10.0.0.1/v1", "LLM_MODEL": "m", "PROVIDER_KEYS": "llm=0123456789"}, "llm_url: an https"),
        ({"LLM_URL": "https://api.example/v1"}, "which model"),
        ({"LLM_CREDITS": "0"}, "llm_credits"),
        ({"GATEWAY_PORT": "70000"}, "gateway_port"),
    ],
)
def test_settings_that_make_no_sense_are_told_without_the_keys(settings: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as told:
        load({f"VAKANZ_{name}": value for name, value in settings.items()})
    assert said in str(told.value) and "0123456789" not in str(told.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"HASDATA_URL": "http://127.0.0.1:9", "PROVIDER_KEYS": "hasdata=0123456789"},
        {"LLM_URL": "http://10.0.0.1/v1", "LLM_MODEL": "m"},
    ],
)
def test_a_key_goes_by_https_or_stays_on_this_machine(settings: dict[str, str]) -> None:
    load({f"VAKANZ_{name}": value for name, value in settings.items()})


def test_rows_of_the_table_are_whole() -> None:
    for name, row in _operations():
        assert re.fullmatch(r"[a-z]+/[a-z_]+", name) and row.path.startswith("/")
        assert any(rule.needed for rule in row.parameters.values())
        assert row.busy_s > 0 and row.max_bytes > 0
    for provider in PROVIDERS.values():
        assert hasattr(Config(), provider.setting) and "{key}" in provider.key[1]
