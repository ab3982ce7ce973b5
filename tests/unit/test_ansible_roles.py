"""The roles: every variable is explained and checked, passwords stay silent, only handlers restart."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "ansible" / "roles"
ALL = sorted(role for role in FOLDER.iterdir() if (role / "tasks").is_dir())
SCRIPTS = sorted(path for path in FOLDER.glob("*/files/*") if path.read_bytes().startswith(b"#!/bin/bash"))
# What a host is and serves, whether Vakanz runs on it or not.
SERVERS = [FOLDER / name for name in ("base", "firewall", "nginx", "pgbouncer", "postgres", "redis")]

every_role = pytest.mark.parametrize("role", ALL, ids=lambda role: role.name)
every_server = pytest.mark.parametrize("role", SERVERS, ids=lambda role: role.name)


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def tasks(role: Path, *parts: str) -> Iterator[dict[str, Any]]:
    """Every task of the folders `parts`, those inside blocks too."""
    waiting = [task for part in parts for path in sorted((role / part).glob("*.yml")) for task in load(path) or []]
    while waiting:
        task = waiting.pop()
        yield task
        waiting += [inner for key in ("block", "rescue", "always") for inner in task.get(key, [])]


def values(node: Any, key: str) -> Iterator[Any]:
    """Everything that stands under `key`, however deep."""
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == key)
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from values(inner, key)


def notified(role: Path) -> set[str]:
    """Names that handlers are called by, in tasks and in lists of files."""
    nodes = [load(path) for part in ("tasks", "handlers", "vars") for path in (role / part).glob("*.yml")]
    called = [one for node in nodes for one in values(node, "notify")]
    names = {name for one in called for name in ([one] if isinstance(one, str) else one)}
    return {name for name in names if "{{" not in name}


def options(role: Path) -> dict[str, Any]:
    found: dict[str, Any] = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


@every_server
def test_every_variable_is_the_roles_own_explained_and_checked(role: Path) -> None:
    path = role / "defaults" / "main.yml"
    assert set(load(path)) == set(options(role))
    assert all(name.startswith(f"{role.name}_") for name in options(role))
    for paragraph in path.read_text(encoding="utf-8").removeprefix("---\n").split("\n\n"):
        assert paragraph.startswith("#"), f"without a comment: {paragraph}"


@every_server
def test_passwords_are_required_and_never_shown(role: Path) -> None:
    secrets = [name for name in options(role) if name.endswith("_password")]
    assert all(options(role)[name].get("required") and options(role)[name].get("no_log") for name in secrets)
    assert all(load(role / "defaults" / "main.yml")[name] == "" for name in secrets)
    showing = {path.name for path in (role / "templates").glob("*") if re.search(r"_password\b", path.read_text())}
    for task in tasks(role, "tasks"):
        template = task.get("ansible.builtin.template", {}).get("src")
        if template in showing or ".password" in str(task):
            assert task.get("no_log"), f"{task['name']} shows a password"
    for path in (role / "vars").glob("*.yml"):
        for file in (one for files in load(path).values() if isinstance(files, list) for one in files):
            if isinstance(file, dict) and file.get("src") in showing:
                assert file.get("secret"), f"{file['dest']} shows a password"


@every_server
def test_only_handlers_restart(role: Path) -> None:
    states = {state for task in tasks(role, "tasks") for state in values(task, "state")}
    assert not states & {"restarted", "reloaded"}


@every_server
def test_templates_are_well_formed_and_used(role: Path) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in role.glob("[tv]a*/*.yml"))
    for path in (role / "templates").iterdir():
        jinja2.Environment().parse(path.read_text(encoding="utf-8"), filename=str(path))
        assert path.name in sources, f"{path} is unused"


@every_role
def test_only_modules_of_ansible_itself_are_called(role: Path) -> None:
    for task in tasks(role, "tasks", "handlers"):
        modules = [key for key in task if "." in key or key in ("command", "shell", "copy", "template", "file")]
        assert all(key.startswith("ansible.builtin.") for key in modules), task["name"]
        assert modules or "block" in task, task["name"]


@every_role
def test_whoever_is_notified_is_there(role: Path) -> None:
    handlers = list(tasks(role, "handlers"))
    assert notified(role) <= {name for task in handlers for name in (task["name"], task.get("listen", task["name"]))}


@every_role
def test_a_command_says_when_it_changes_something(role: Path) -> None:
    for task in tasks(role, "tasks", "handlers"):
        asked = task.get("ansible.builtin.command", task.get("ansible.builtin.shell"))
        assert asked is None or "changed_when" in task or "creates" in asked, f"{task['name']} always claims a change"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is absent")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_read_and_stop_at_the_first_failure(script: Path) -> None:
    assert "\nset -euo pipefail\n" in script.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=10)
