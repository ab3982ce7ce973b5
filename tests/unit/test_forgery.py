"""Whether a browser says that another site sent it."""

from __future__ import annotations

import pytest

from api.forgery import is_foreign


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://jobs.example"}, True),
        ({"Sec-Fetch-Site": ""}, True),
        ({"Origin": "https://jobs.example"}, False),
        ({"Origin": "https://jobs.example:444"}, True),
        ({"Origin": "https://jobs.example.evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": ""}, True),
        ({"Origin": "https://[x"}, True),
    ],
)
def test_what_browsers_say(headers: dict[str, str], foreign: bool) -> None:
    assert is_foreign(headers, "jobs.example") is foreign
