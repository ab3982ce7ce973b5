"""Reading profiles: what is negated, what is hostile."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.match.profile import Limits, Profile, UnusableProfile, read_profile


def test_what_a_profile_denies_is_no_skill() -> None:
    wanted = read_profile(Profile(text="Ich kann Python und SQL, aber kein Java.", skills=("Excel",)))
    assert {"Python", "SQL"} <= wanted.skills
    assert "Java" not in wanted.skills


def test_place_level_and_limits_are_read() -> None:
    profile = Profile(title="Senior Koch (m/w/d)", location="Bern", limits=Limits(countries=("ch",), languages=("DE",)))
    wanted = read_profile(profile)
    assert (wanted.place, wanted.country, wanted.seniority) == ("Bern", "CH", "senior")
    assert (wanted.limits.countries, wanted.limits.languages) == (("CH",), ("de",))
    assert wanted.phrases == ("Senior Koch",)


def test_part_time_accepts_what_offers_both() -> None:
    assert "full_or_part_time" in (Limits(employment=("part_time",)).folded().employment or ())
    assert Limits(employment=("internship",)).folded().employment == ("internship",)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=300), st.none() | st.text(max_size=50), st.none() | st.text(max_size=50))
def test_any_text_is_read_or_refused(text: str, title: str | None, location: str | None) -> None:
    try:
        wanted = read_profile(Profile(text=text, title=title, location=location))
    except UnusableProfile:
        return
    assert wanted.phrases
    assert all(wanted.phrases)


def test_pay_of_next_to_nothing_is_no_wish() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"text": "Koch", "salary_eur": 1e-300}', type=Profile)
    assert msgspec.json.decode(b'{"text": "Koch", "salary_eur": 1}', type=Profile).salary_eur == 1.0
