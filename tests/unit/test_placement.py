"""What one machine runs, and for how long it is left alone when it is to end."""

from __future__ import annotations

from keeper.local.placement import drain_s, units
from lib.life.actor import CLEANUP_S
from lib.life.config import Config
from lib.life.domains import DOMAINS, parse_unit

EVERYTHING = Config(
    proxied_sources=("lever",), proxies=("http://127.0.0.1:9",), overpass="https://map.example",
    browser="/bin/chromium", gateway_url="http://127.0.0.1:8090", gateway_key="0123456789abcdef",
)  # fmt: skip


def test_no_daemon_is_killed_while_it_drains_or_cleans_up() -> None:
    assert drain_s(Config(drain_s=20)) > 20 + CLEANUP_S


def test_units_get_the_configuration_and_the_environment() -> None:
    started = units(Config(api_port=8177), {"PATH": "/bin"})
    assert {"crawl@0-5", "fulltext@0-7", "api@0"} < {unit.name for unit in started}
    for unit in started:
        assert unit.argv[-2:] == ("daemon", unit.name)
        assert (unit.env["PATH"], unit.env["VAKANZ_API_PORT"]) == ("/bin", "8177")


def test_one_machine_does_every_part_of_every_domain_once() -> None:
    placed = [parse_unit(unit.name) for unit in units(EVERYTHING, {})]
    assert sorted(one.domain.name for one in placed if one.unit != "crawl@proxied") == sorted(DOMAINS)
    for domain in DOMAINS.values():
        parts = [part for one in placed if one.domain is domain for part in one.share.parts]
        assert sorted(parts) == sorted(domain.division.parts)


def test_what_needs_a_setting_runs_only_with_it() -> None:
    more = {unit.name for unit in units(EVERYTHING, {})} - {unit.name for unit in units(Config(), {})}
    assert more == {"crawl@proxied", "geo@0-24", "browser@0", "gateway@0", "discover@0"}
