"""What one machine runs, and for how long it is left alone when it is to end."""

from __future__ import annotations

from keeper.local.placement import drain_s, units
from lib.life.actor import CLEANUP_S
from lib.life.config import Config


def test_no_daemon_is_killed_while_it_drains_or_cleans_up() -> None:
    assert drain_s(Config(drain_s=20)) > 20 + CLEANUP_S


def test_units_get_the_configuration_and_the_environment() -> None:
    started = units(Config(api_port=8177), {"PATH": "/bin"})
    assert {"crawl@0-5", "fulltext@0-7", "api@0"} < {unit.name for unit in started}
    for unit in started:
        assert unit.argv[-2:] == ("daemon", unit.name)
        assert (unit.env["PATH"], unit.env["VAKANZ_API_PORT"]) == ("/bin", "8177")
