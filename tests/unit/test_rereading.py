"""Settings that are read again."""

from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ConfigError
from lib.life.config import Config
from lib.life.rereading import FILES, REREAD, Settings, read_environment, take


def test_a_file_of_variables_is_read_as_systemd_reads_it() -> None:
    text = "# a comment\n; another\n\nA=plain\nB = two words \nC=\"quoted 'so'\"\nD='x=y'\nE=\nno variable\n"
    assert read_environment(text) == {"A": "plain", "B": "two words", "C": "quoted 'so'", "D": "x=y", "E": ""}


@given(st.text())
def test_any_text_gives_variables_or_one_kind_of_error(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(read_environment(text), dict)


def test_a_variable_that_left_its_file_is_not_set_any_more(tmp_path: Path) -> None:
    common, own = tmp_path / "vakanz.env", tmp_path / "crawl@0.env"
    common.write_text("VAKANZ_HOST_RATE=2\nVAKANZ_CONTACT=a@b.example\n")
    environment = {
        FILES: f"{common} {own}",
        "VAKANZ_HOME": "/srv",
        "VAKANZ_HOST_RATE": "2",
        "VAKANZ_CONTACT": "a@b.example",
    }
    settings = Settings(environment)
    common.write_text("VAKANZ_CONTACT=c@d.example\n")
    own.write_text("VAKANZ_CRAWL_CONCURRENCY=3\n")
    config = settings.read()
    assert (config.host_rate, config.contact, config.crawl_concurrency) == (4.0, "c@d.example", 3)
    assert config.home == Path("/srv")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "odd.env").write_bytes(b"VAKANZ_CONTACT=\xff\n")
    settings = Settings({FILES: str(tmp_path / "odd.env")})
    with pytest.raises(ConfigError, match=r"odd\.env"):
        settings.read()


def test_only_what_the_work_uses_is_taken() -> None:
    now = Config(dsn="postgresql://filled/in", host="w1")
    again = replace(now, dsn="", host_rate=1.0, proxies=("http://p:1",), api_port=9, host="w2")
    found = take(now, again)
    assert found.taken == ("host_rate", "proxies") and found.waiting == ("host", "api_port")
    assert (found.config.host_rate, found.config.api_port, found.config.dsn) == (1.0, 8080, "postgresql://filled/in")


def test_all_that_is_taken_are_settings() -> None:
    assert {one.name for one in fields(Config)} >= REREAD
