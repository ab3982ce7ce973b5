"""What a person enters becomes a profile, or a clear refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from api.bodies import Change
from api.web.account import _next
from api.web.chips import chips, chosen_profile
from api.web.forms import NoAmount, mark_of, read_entry
from api.web.posting import turns, web_address
from api.web.words import words
from lib.match.profile import Limits, Profile
from lib.people.reading import Reading, Skill

READ = Reading(
    occupation=None,
    skills=(Skill("Java", "Ich kann Java."), Skill("SQL", "Ich kann SQL.")),
    seniority="senior",
    years=6.4,
    languages=(),
    degree=None,
    places=(),
    profile=Profile(text="Ich kann Java.", title="Entwickler", skills=("Java", "SQL"), location="Bern"),
)


def _form(*fields: tuple[str, Any]) -> MultiDict[Any]:
    return MultiDict(fields)


def test_fields_become_a_profile() -> None:
    entry = read_entry(
        _form(
            ("text", " Koch\r\nin Wien "), ("location", "Wien"), ("countries", "AT"), ("countries", "DE"),
            ("countries", "XX"), ("remote", "hybrid"), ("employment", "full_time"), ("languages", "de"),
            ("salary", "45.000"),
        )
    )  # fmt: skip
    assert entry.text == "Koch\nin Wien"
    assert entry.profile() == Profile(
        text="Koch\nin Wien",
        location="Wien",
        limits=Limits(
            countries=("DE", "AT"), languages=("de",), remote=("hybrid",), employment=("full_time",),
            min_salary_eur=45_000.0,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "amount"),
    [("45000", 45_000), ("45'000", 45_000), ("45,000.50", 45_000), ("45.000,50", 45_000), ("45 000", 45_000)],
)
def test_money_is_read_as_it_is_written(written: str, amount: float) -> None:
    assert read_entry(_form(("salary", written))).profile().limits.min_salary_eur == amount


@pytest.mark.parametrize("written", ["viel", "-5", "1e9", "0", "99999999999", "4 5", "٤٥٠٠٠"])
def test_money_that_means_nothing_is_refused(written: str) -> None:
    with pytest.raises(NoAmount):
        read_entry(_form(("text", "Koch"), ("salary", written))).profile()


@given(st.lists(st.tuples(st.sampled_from(["text", "title", "skills", "more_skills", "countries", "mark"]), st.text())))
def test_any_fields_are_read(fields: list[tuple[str, str]]) -> None:
    entry = read_entry(_form(*fields))
    assert len(entry.skills) <= 50
    entry.text.encode()


def test_own_choices_hold_for_the_text_that_they_were_made_of() -> None:
    text = "Ich kann Java und SQL."
    chosen = [("title", "Architekt"), ("skills", "SQL"), ("more_skills", "Go, Rust"), ("mark", mark_of(text))]
    own = chosen_profile(read_entry(_form(("text", text), *chosen)), READ)
    assert (own.title, own.skills, own.location) == ("Architekt", ("SQL", "Go", "Rust"), "Bern")
    shown = chips(own, READ, words("de"))
    assert [(chip.name, chip.chosen) for chip in shown.skills] == [
        ("Java", False), ("SQL", True), ("Go", True), ("Rust", True),
    ]  # fmt: skip
    assert [fact for fact, _ in shown.facts] == ["6 Jahre Erfahrung", "Senior"]
    anew = chosen_profile(read_entry(_form(("text", "Ich bin Koch."), *chosen)), READ)
    assert (anew.title, anew.skills) == ("Entwickler", ("Java", "SQL"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/s/1?a=b", "/s/1?a=b"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"),
        ("", "/"), (None, "/"), ("/a\r\nSet-Cookie: x", "/"), ("/\t/evil.example", "/"), ("javascript:alert(1)", "/"),
    ],
)  # fmt: skip
def test_signing_in_leads_to_our_own_pages_only(given: str | None, kept: str) -> None:
    assert _next(given) == kept


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/1", True), ("http://a.example", True), ("javascript:alert(1)", False),
        ("data:text/html,x", False), ("", False),
        ("//a.example", False), ("https://[", False), (None, False), (" javascript:alert(1)", False),
    ],
)  # fmt: skip
def test_links_lead_to_the_web_only(url: str | None, shown: bool) -> None:
    assert (web_address(url) is not None) == shown


def test_changes_are_told_newest_first_in_a_line_each() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    history = (
        Change(revision=1, at=day, session="s", changes={"title": ["A", "B"]}),
        Change(
            revision=2,
            at=day,
            session="s",
            changes={"places": [["Bonn"], ["Berlin", "Bonn"]], "text": ["", "ab"], "stated": [{}, {"a": [1]}]},
        ),
        Change(revision=3, at=day, session="s", changes={"odd": "no pair", "long": ["", "x" * 999]}),
    )
    told = [(turn.field, turn.before, turn.after) for turn in turns(history)]
    assert told[:2] == [("odd", "", ""), ("long", "", f"{'x' * 300} …")]
    assert told[2:] == [
        ("places", "Bonn", "Berlin, Bonn"),
        ("text", "", ""),
        ("stated", "", "a: 1"),
        ("title", "A", "B"),
    ]
