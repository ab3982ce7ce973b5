"""Passwords: what is kept opens for the password only, and says how it was made."""

from __future__ import annotations

import time

import pytest

from api import passwords

SALT = b"s" * 16
KEPT = passwords.seal("correct horse battery", SALT)


def test_only_the_password_matches() -> None:
    assert passwords.matches("correct horse battery", KEPT)
    for other in ("correct horse batterx", "", "correct horse battery ", "\ud800", "x" * 100_000):
        assert not passwords.matches(other, KEPT)
    assert "horse" not in KEPT
    assert passwords.seal("correct horse battery", b"t" * 16) != KEPT


def test_older_parameters_stay_readable() -> None:
    weaker = "scrypt$1024$8$1$c2FsdA==$vRbhzOgx8gEJtS2f5fdRxm7T2n1NaWa5beNYSdbAmKE="
    assert passwords.matches("correct horse battery", weaker)
    assert not passwords.matches("correct horse batterx", weaker)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
def test_new_passwords_have_a_length(password: str) -> None:
    with pytest.raises(passwords.UnusablePassword):
        passwords.seal(password, SALT)


def test_nobody_takes_as_long_as_somebody() -> None:
    def took(sealed: str | None) -> float:
        began = time.process_time()
        assert not passwords.matches("wrong password", sealed)
        return time.process_time() - began

    somebody = min(took(KEPT) for _ in range(3))
    assert min(took(None) for _ in range(3)) > somebody / 2
