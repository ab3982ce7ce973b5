"""What the role `monitoring` puts on a server: Prometheus takes it, and asks for nothing that nobody shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import jinja2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.figures import Fleet, exposition
from keeper.incident import Kind
from lib.life import metrics
from lib.life.uptime import fleet_uptime
from lib.store.spans import Past, Span

ROLE = Path(__file__).parents[2] / "ansible" / "roles" / "monitoring"
BRACKETS = {"variable_start_string": "[[", "variable_end_string": "]]"}
NAME = re.compile(r"\b(?:vakanz|node)_[a-z0-9_]+", re.IGNORECASE)
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is absent")


def variables() -> dict[str, Any]:
    """What the role says itself."""
    found = {"ansible_managed": "managed"}
    for part in ("defaults", "vars"):
        found |= yaml.safe_load((ROLE / part / "main.yml").read_text())
    return found


def rendered(name: str, *, brackets: bool = False, **others: object) -> str:
    """A template of the role as Ansible writes it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        **(BRACKETS if brackets else {}),
    )
    environment.filters |= {
        "to_json": json.dumps,
        "to_nice_json": lambda value, indent: json.dumps(value, indent=indent),
    }
    return environment.get_template(name).render(variables() | others)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "vakanz.rules.yml"
    path.write_text(rendered("vakanz.rules.yml.j2", brackets=True))
    return path


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def alerts(rules: Path) -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(rules.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rendered("dashboard.json.j2"))["panels"]
    return found


@pytest.fixture
def asked(rules: Path) -> set[str]:
    """The names of all figures that rules and dashboard ask for."""
    expressions = [rule["expr"] for rule in alerts(rules).values()]
    expressions += [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    return {name for expression in expressions for name in NAME.findall(expression)}


def shown() -> Iterator[str]:
    """The names of all figures that an API shows of a fleet with one of everything."""
    row = {
        "unit": "crawl@0", "host": "w1", "version": "1", "state": "idle", "silent_s": 1.0, "quiet_s": 1.0,
        "memory_bytes": 1, "counters": {"boards": 1}, "stop_requested": False,
    }  # fmt: skip
    fleet = Fleet(
        daemons=[row],
        holds=[],
        uptime=fleet_uptime(Past(2e5, [Span("crawl@0", "w1", 1, 1e5, 2e5)]), 1),
        restarts={"crawl@0": 1},
        lags={"text": 1},
        letters=[{"queue": "crawl:acme", "letters": 1}],
        alerts=[{"kind": "miss", "number": 1}, {"kind": "", "number": 1}],
        market={"open": 1.0, "newest_s": 1.0, "overdue_s": 1.0},
        horizon_s=1.0,
        credits={"granted": 1, "used": 1, "reserved": 1},
    )
    metrics.requests.labels("/jobs", "200").inc()
    metrics.request_seconds.labels("/jobs").observe(0.1)
    for family in text_string_to_metric_families((metrics.exposition() + exposition(fleet)).decode()):
        yield from (sample.name for sample in family.samples)


def test_all_figures_of_rules_and_dashboard_are_shown(asked: set[str]) -> None:
    ours = {name for name in asked if name.startswith("vakanz_")}
    by_the_exporter = {"vakanz_certificate_expires_seconds"}
    assert ours - by_the_exporter <= set(shown())
    assert len(ours) > 15


def test_all_figures_of_servers_are_shown_by_the_node_exporter(asked: set[str]) -> None:
    program = shutil.which("prometheus-node-exporter")
    if program is None:
        pytest.skip("prometheus-node-exporter is absent")
    with subprocess.Popen([program, "--web.listen-address=127.0.0.1:0"], stderr=subprocess.PIPE, text=True) as exporter:
        try:
            assert exporter.stderr is not None
            found = (re.search(r'"Listening on" address=(\S+)', line) for line in exporter.stderr)
            address = next(match[1] for match in found if match)
            with urlopen(f"http://{address}/metrics", timeout=20) as answer:
                text = answer.read().decode()
        finally:
            exporter.kill()
    theirs = {name for name in asked if name.startswith("node_")}
    assert theirs <= {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    assert len(theirs) > 4


@needs_promtool
def test_prometheus_takes_the_rules(rules: Path) -> None:
    promtool("check", "rules", rules)


@needs_promtool
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"monitoring_apis": ["127.0.0.1:8080", "127.0.0.1:8081"], "monitoring_alertmanagers": ["127.0.0.1:9093"]},
        {"monitoring_api_key": "vk_x"},
    ],
    ids=["as it is", "two APIs", "with a key"],
)
def test_prometheus_takes_its_description(rules: Path, tmp_path: Path, settings: dict[str, object]) -> None:
    key = tmp_path / "key"
    key.write_text("vk_x")
    paths = {"monitoring_rules_path": str(rules), "monitoring_key_path": str(key)}
    (tmp_path / "prometheus.yml").write_text(rendered("prometheus.yml.j2", **paths, **settings))
    promtool("check", "config", tmp_path / "prometheus.yml")
    jobs = {job["job_name"]: job for job in yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]}
    found = [one["url"] for one in jobs["vakanz"]["http_sd_configs"]]
    apis: Any = settings.get("monitoring_apis", ["127.0.0.1:8080"])
    assert found == [f"http://{api}/fleet/targets" for api in apis]
    assert jobs["vakanz"]["honor_labels"]
    # Servers' own exporters need no key, and must not get it.
    assert "authorization" not in jobs["node"]
    assert ("authorization" in jobs["vakanz"]) == ("monitoring_api_key" in settings)


API = '{instance="127.0.0.1:8080",job="vakanz"'
OTHER_API = '{instance="127.0.0.1:8081",job="vakanz"'
CRAWL = ',unit="crawl@0",host="w1"}'


@needs_promtool
@pytest.mark.parametrize(
    ("series", "at", "alert", "fires"),
    [
        ({f"vakanz_daemon_silent_seconds{API}{CRAWL}": "10+60x9", f"vakanz_daemon_wanted{API}{CRAWL}": "1x9"},
         "5m", "VakanzDaemonSilent", {"unit": "crawl@0", "host": "w1"}),
        ({f"vakanz_daemon_silent_seconds{API}{CRAWL}": "10+60x9", f"vakanz_daemon_wanted{API}{CRAWL}": "0x9"},
         "5m", "VakanzDaemonSilent", None),
        ({f"vakanz_daemon_silent_seconds{API}{CRAWL}": "10x9", f"vakanz_daemon_wanted{API}{CRAWL}": "1x9"},
         "5m", "VakanzDaemonSilent", None),
        ({f"vakanz_dead_letters{API},queue=\"a\"}}": "50x60 200x10", f"vakanz_dead_letters{OTHER_API},queue=\"a\"}}":
          "50x60 200x10"}, "65m", "VakanzDeadLettersGrow", {"queue": "a"}),
        ({f"vakanz_dead_letters{API},queue=\"a\"}}": "150x70"}, "65m", "VakanzDeadLettersGrow", None),
        ({f"vakanz_dead_letters{API},queue=\"a\"}}": "_x60 150x10"}, "65m", "VakanzDeadLettersGrow", {"queue": "a"}),
        ({}, "6m", "VakanzFiguresAway", {}),
        ({f"vakanz_daemon_silent_seconds{API}{CRAWL}": "5x9"}, "6m", "VakanzFiguresAway", None),
        ({f"vakanz_fleet_uptime_ratio{API}}}": "0.9995x90"}, "80m", "VakanzUptimeMissed", None),
        ({f"vakanz_fleet_uptime_ratio{API}}}": "0.99x90"}, "80m", "VakanzUptimeMissed", {}),
        ({'vakanz_certificate_expires_seconds{host="w1",path="/a"}': "864000x30"}, "20m", "VakanzCertificateEnds",
         {"host": "w1", "path": "/a"}),
        ({'vakanz_certificate_expires_seconds{host="w1",path="/a"}': "8640000x30"}, "20m", "VakanzCertificateEnds",
         None),
        ({f"vakanz_requests_total{API},path=\"/jobs\",status=\"500\"}}": "0+1x30",
          f"vakanz_requests_total{OTHER_API},path=\"/jobs\",status=\"200\"}}": "0+50x30"},
         "25m", "VakanzApiErrors", {}),
        ({f"vakanz_requests_total{API},path=\"/jobs\",status=\"404\"}}": "0+1x30"}, "25m", "VakanzApiErrors", None),
    ],
)  # fmt: skip
def test_when_rules_speak(
    rules: Path, tmp_path: Path, series: dict[str, str], at: str, alert: str, fires: dict[str, str] | None
) -> None:
    rule = alerts(rules)[alert]
    silent = {**rule, "annotations": {}}  # what is said is for people
    rules.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [silent]}]}))
    expected = [] if fires is None else [{"exp_labels": {**rule["labels"], **fires}}]
    case = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": expected}],
            }
        ],
    }
    (tmp_path / "case.yml").write_text(yaml.safe_dump(case))
    promtool("test", "rules", tmp_path / "case.yml")


def test_every_rule_says_how_bad_it_is_and_which_paragraph_helps(rules: Path) -> None:
    kinds = {str(kind) for kind in Kind} | {"{{ $labels.kind }}"}
    for name, rule in alerts(rules).items():
        assert rule["labels"]["severity"] in ("warning", "critical"), name
        assert rule["annotations"]["summary"], name
        assert rule["annotations"].get("runbook", "host") in kinds, name


def test_the_dashboard_is_whole() -> None:
    drawn = panels()
    assert len({panel["id"] for panel in drawn}) == len(drawn)
    for panel in drawn:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken = [other["gridPos"] for other in drawn if other is not panel and other["gridPos"]["y"] == place["y"]]
        assert all(other["x"] + other["w"] <= place["x"] or place["x"] + place["w"] <= other["x"] for other in taken)
        for target in panel.get("targets", ()):
            assert "<" not in target["legendFormat"]
    legends = {target["legendFormat"] for panel in drawn for target in panel.get("targets", ())}
    assert "{{unit}} {{what}}" in legends


def test_every_variable_is_explained_and_declared() -> None:
    text = (ROLE / "defaults" / "main.yml").read_text()
    declared = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    options = {name for entry in declared.values() for name in entry["options"]}
    assert options == set(yaml.safe_load(text))
    for block in text.removeprefix("---\n").split("\n\n"):
        assert block.startswith("# "), block


def test_certificates_say_when_they_end(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is absent")
    certificate = tmp_path / "certificate.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 30 -subj /CN=a"
        f" -keyout {tmp_path}/key.pem -out {certificate}"
    )
    subprocess.run(command.split(), capture_output=True, check=True, timeout=20)
    program = ROLE / "files" / "monitoring-certificates"
    subprocess.run(
        ["sh", program, tmp_path, certificate, tmp_path / "none.pem"], capture_output=True, check=True, timeout=20
    )
    text = (tmp_path / "vakanz_certificates.prom").read_text()
    (family,) = text_string_to_metric_families(text)
    ends = {sample.labels["path"]: sample.value for sample in family.samples}
    began = certificate.stat().st_mtime
    assert ends[str(certificate)] == pytest.approx(began + 30 * 86_400, abs=60)
    assert ends[str(tmp_path / "none.pem")] == 0
    assert not list(tmp_path.glob(".vakanz*"))
