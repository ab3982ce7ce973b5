"""Keys go into what is sent and into nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ConfigError, Denied, Refused, Transient
from lib.life.config import load
from lib.net.messages import Request, Response
from lib.net.secrets import Veil, filled

KEY = "k3y/with+signs=="
KEYS = {"one_key": KEY, "other_key": "ffffffff0000"}
LEAKS = (
    KEY,
    "k3y%2Fwith%2Bsigns%3D%3D",
    "k3y%2fwith%2bsigns%3d%3d",
    "k3y%252Fwith%252Bsigns%25253D%253d",
    r"k3y\/with+signs==",
    r"k3y\u002fwith+signs==",
    "k3y&#x2F;with&#43;signs&#x3D;&#061;",
)


def request(**fields: object) -> Request:
    return Request(url="https://api.example/{one_key}/x", secrets=("one_key",), **fields)  # type: ignore[arg-type]


def test_a_key_is_written_in_only_where_it_was_asked_for() -> None:
    asked = request(params={"a": "{one_key}", "b": "{other_key}", "c": "{}"}, headers={"X-Key": "Key {one_key}"})
    sent, _ = filled(asked, KEYS.get)
    assert sent.url == "https://api.example/k3y%2Fwith%2Bsigns%3D%3D/x"
    assert sent.params == {"a": KEY, "b": "{other_key}", "c": "{}"}
    assert sent.headers == {"X-Key": f"Key {KEY}"}
    assert KEY not in repr(asked)


def test_a_missing_key_says_what_to_set() -> None:
    with pytest.raises(Denied, match=r"no key one_key: set VAKANZ_SOURCE_KEYS=one_key=\.\.\."):
        filled(request(), {"one_key": ""}.get)


def test_no_key_is_sent_without_encryption() -> None:
    with pytest.raises(Refused, match="https only"):
        filled(Request(url="http://api.example/", secrets=("one_key",)), KEYS.get)


@pytest.mark.parametrize("leak", LEAKS)
def test_a_key_that_comes_back_is_hidden(leak: str) -> None:
    asked = request()
    _, veil = filled(asked, KEYS.get)
    answer = Response(
        request=asked, url=f"https://api.example/{leak}/x", status=200, headers={"link": f"<{leak}>"},
        body=f'{{"next":"https://api.example/{leak}/x"}}'.encode(),
    )  # fmt: skip
    hidden = veil.response(asked, answer)
    assert hidden.url == "https://api.example/{one_key}/x"
    assert hidden.headers == {"link": "<{one_key}>"}
    assert hidden.body == b'{"next":"https://api.example/{one_key}/x"}'
    assert veil.covers(answer.url) and not veil.covers(hidden.url)


@pytest.mark.parametrize("length", range(8, len(KEY) + 1))
def test_a_key_that_a_message_was_cut_in_is_hidden(length: int) -> None:
    _, veil = filled(request(), KEYS.get)
    error = Transient(f"no answer from 'https://api.example/{KEY[:length]}'", 500)
    error.__cause__ = ValueError(KEY)
    veil.error(error)
    assert str(error) == "no answer from 'https://api.example/{one_key}'"
    assert (error.status, error.__cause__) == (500, None)


def test_a_key_that_was_cut_within_a_message_is_hidden_and_the_rest_stays() -> None:
    _, veil = filled(request(), KEYS.get)
    error = veil.error(Transient(f"encoding '{KEY[:12]}', which we did not ask for at /x/{KEY}/page?n=1"))
    assert str(error) == "encoding '{one_key}', which we did not ask for at /x/{one_key}/page?n=1"


def test_the_longest_key_can_be_hidden() -> None:
    key = "".join("/Aa1"[number % 4] for number in range(200))
    error = Veil({"k": key}).error(Transient(f"<{key}> <{key[:150]}> <{key[:8]}>"))
    assert str(error) == "<{k}> <{k}> <{k}>"


def test_a_message_names_each_of_keys_that_begin_alike() -> None:
    veil = Veil({"an_id": "alike-0000-id", "a_key": "alike-0000-key"})
    assert str(veil.error(Transient("?id=alike-0000-id&key=alike-0000-key"))) == "?id={an_id}&key={a_key}"


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_key_that_begins_with_another_one_is_hidden_whole(names: tuple[str, str]) -> None:
    short, long = names
    veil = Veil(dict(sorted({short: "ffffffff0000", long: "ffffffff0000secret-end"}.items())))
    assert veil.text("x=ffffffff0000secret-end&y=ffffffff0000") == f"x={{{long}}}&y={{{short}}}"
    error = veil.error(Transient("no answer from 'https://api.example/?k=ffffffff0000secret'"))
    assert "secret" not in str(error)


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_nothing_else_is_changed(before: str, after: str) -> None:
    veil = Veil(KEYS)
    assert veil.text(before + after) == before + after
    assert veil.body((before + KEY + after).encode()) == (before + "{one_key}" + after).encode()


def test_keys_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    config = load({"VAKANZ_SOURCE_KEYS": f"one_key={KEY}, other_key=ffffffff0000"})
    assert config.keys == KEYS
    file = tmp_path / "keys"
    file.write_text(f"one_key={KEY}\nother_key=ffffffff0000\n")
    assert load({"VAKANZ_SOURCE_KEYS_FILE": str(file)}).keys == KEYS
    assert load(config.environment()).keys == KEYS
    assert KEY not in repr(config)


@pytest.mark.parametrize("given", ["noname", "a=short", f"A b={KEY}", "a=has blanks in it", f"={KEY}"])
def test_a_key_that_is_none_is_a_problem_that_does_not_tell_it(given: str) -> None:
    with pytest.raises(ConfigError, match="source_keys: ") as caught:
        load({"VAKANZ_SOURCE_KEYS": given})
    assert given.partition("=")[2] == "" or given.partition("=")[2] not in str(caught.value)


def test_a_key_that_a_comma_parts_is_not_told_as_a_name() -> None:
    with pytest.raises(ConfigError, match="source_keys: entry 2: ") as caught:
        load({"VAKANZ_SOURCE_KEYS": "one_key=ffffffff,abcdef0123456789="})
    assert "abcdef" not in str(caught.value)
