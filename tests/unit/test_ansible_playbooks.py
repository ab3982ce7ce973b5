"""What can be said about the playbooks without a server: the release they make, and that their files agree."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from lib.life.config import Config
from lib.life.fleet import load_fleet

_ANSIBLE = Path(__file__).parents[2] / "ansible"
_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
_PYPROJECT = """
[project]
name = "vakanz"
version = "1.2.3"
[tool.setuptools]
py-modules = ["vakanz"]
[tool.setuptools.packages.find]
include = ["lib*"]
"""
_LOCK = """\
aiohttp==3.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:cc
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:dd
# a remark
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:ee
"""


@pytest.fixture(scope="module")
def wheelhouse() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wheelhouse", _ANSIBLE / "roles/vakanz/files/wheelhouse.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkout with everything that belongs to a release, and a little that does not."""
    folder = tmp_path / "checkout"
    files = {
        "pyproject.toml": _PYPROJECT, "README.md": "", "LICENSE": "", "vakanz.py": "", "lib/__init__.py": "",
        "requirements/run.txt": _LOCK, "systemd/vakanz.target": "", "systemd/254/vakanz-@.service.d/40-steps.conf": "",
        "tests/test_it.py": "", "lib/__pycache__/__init__.cpython-311.pyc": "",
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def asked(wheelhouse: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pip was asked for; in its place, the files that it would bring are made."""
    said: list[str] = []

    def pip(action: str, *options: str) -> None:
        said.append(action)
        given = dict(option.partition("=")[::2] for option in options)
        folder = Path(given.get("--dest") or given["--wheel-dir"])
        folder.mkdir(parents=True, exist_ok=True)
        if folder.name == "installer":
            with zipfile.ZipFile(folder / "uv-1-py3-none-any.whl", "w") as wheel:
                wheel.writestr("uv-1.data/scripts/uv", "#!")
        elif action == "wheel":
            number = _number((Path(options[-1]) / "pyproject.toml").read_text(encoding="utf-8"))
            (folder / f"vakanz-{number}-py3-none-any.whl").write_bytes(b"wheel")
        else:
            (folder / "setuptools-80-py3-none-any.whl").write_bytes(b"tools")

    monkeypatch.setattr(wheelhouse, "_pip", pip)
    return said


def _number(pyproject: str) -> str:
    return next(line.split('"')[1] for line in pyproject.splitlines() if line.startswith("version"))


def test_a_lock_is_read_for_the_hosts_python_whatever_its_patch_number(wheelhouse: ModuleType) -> None:
    debian = wheelhouse.Target("3.11", 36, "x86_64")
    assert list(wheelhouse.lines(_LOCK, debian)) == [
        "aiohttp==3.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb",
        "async-timeout==5.0.1 \\\n    --hash=sha256:cc",
    ]
    assert [line.split("==")[0] for line in wheelhouse.lines(_LOCK, wheelhouse.Target("3.13", 41, "x86_64"))] == [
        "aiohttp", "numpy",
    ]  # fmt: skip


def test_a_release_is_made_once_and_again_for_another_source_or_number(
    wheelhouse: ModuleType, source: Path, asked: list[str], tmp_path: Path
) -> None:
    target = wheelhouse.Target("3.11", 36, "x86_64")
    first = wheelhouse.make(source, tmp_path / "house", "", target)
    assert (first.version, asked) == ("1.2.3", ["download", "download", "wheel"])
    (source / "tests/test_it.py").write_text("assert True", encoding="utf-8")
    again = wheelhouse.make(source, tmp_path / "house", "", target)
    assert (again.made, len(asked)) == ((), 3)
    (source / "vakanz.py").write_text("print()", encoding="utf-8")
    other = wheelhouse.make(source, tmp_path / "house", "", target)
    assert other.lock == first.lock and other.source != first.source and asked[3:] == ["wheel"]
    numbered = wheelhouse.make(source, tmp_path / "house", "2.0.0", target)
    assert Path(numbered.release).name.startswith("release-2.0.0-")


def test_a_release_has_its_wheel_by_hash_and_the_units_of_each_systemd(
    wheelhouse: ModuleType, source: Path, asked: list[str], tmp_path: Path
) -> None:
    made = wheelhouse.make(source, tmp_path / "house", "2.0.0rc1", wheelhouse.Target("3.11", 36, "x86_64"))
    with tarfile.open(made.release) as packed:
        assert packed.getnames() == [
            "release.txt", "units-254/vakanz-@.service.d/40-steps.conf", "units/vakanz.target",
            "vakanz-2.0.0rc1-py3-none-any.whl",
        ]  # fmt: skip
        pinned = packed.extractfile("release.txt")
        assert pinned is not None and pinned.read().startswith(b"vakanz==2.0.0rc1 --hash=sha256:")
    with tarfile.open(made.dependencies) as packed:
        assert packed.getnames()[-1] == "lock.txt"
        assert packed.getmember("uv").mode == 0o755


def test_a_release_is_made_with_debian_12s_python_whose_tarfile_knows_no_filters(
    wheelhouse: ModuleType, source: Path, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extractall(self: tarfile.TarFile, path: str = ".", members: object = None) -> None:
        raise NotImplementedError

    monkeypatch.setattr(tarfile.TarFile, "extractall", extractall)
    wheelhouse.make(source, tmp_path / "house", "", wheelhouse.Target("3.11", 36, "x86_64"))
    assert asked == ["download", "download", "wheel"]


@pytest.mark.parametrize("version", ["next", "1.0-rc1", "01.2", "1 2", "../1"])
def test_a_number_that_pip_would_spell_otherwise_is_refused(
    wheelhouse: ModuleType, source: Path, tmp_path: Path, version: str
) -> None:
    with pytest.raises(wheelhouse.Unusable, match="PEP 440"):
        wheelhouse.make(source, tmp_path, version, wheelhouse.Target("3.11", 36, "x86_64"))


def test_the_example_inventory_has_the_servers_of_the_map_each_with_an_address() -> None:
    hosts = yaml.safe_load((_ANSIBLE / "inventory.example/hosts.yml").read_text(encoding="utf-8"))["fleet"]["hosts"]
    assert sorted(hosts) == sorted(load_fleet(_ANSIBLE / "fleet.yml").hosts)
    assert len({facts["ansible_host"] for facts in hosts.values()}) == len(hosts)


def test_the_example_offers_nothing_that_the_wiring_wins_over() -> None:
    wiring = yaml.safe_load((_ANSIBLE / "group_vars/all/wiring.yml").read_text(encoding="utf-8"))
    example = (_ANSIBLE / "inventory.example/group_vars/all/settings.yml").read_text(encoding="utf-8")
    assert not set(re.findall(r"^#? ?(\w+):", example, re.MULTILINE)) & set(wiring)


def test_secrets_and_common_settings_are_settings() -> None:
    wiring = yaml.safe_load((_ANSIBLE / "group_vars/all/wiring.yml").read_text(encoding="utf-8"))
    common = yaml.safe_load((_ANSIBLE / "roles/vakanz/vars/main.yml").read_text(encoding="utf-8"))
    given = {*wiring["vakanz_secrets"], *wiring["keeper_secrets"], *common["vakanz_common_settings"]}
    assert given <= set(Config.__dataclass_fields__)


@pytest.mark.skipif(not _PLAYBOOK.exists(), reason="Ansible is not installed")
@pytest.mark.parametrize("playbook", ["site.yml", "rollout.yml", "rollback.yml", "secrets.yml"])
def test_playbooks_are_read(playbook: str, tmp_path: Path) -> None:
    inventory = f"--inventory={_ANSIBLE / 'inventory.example'}"
    done = _ansible(tmp_path, str(_PLAYBOOK), "--syntax-check", inventory, playbook)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not _PLAYBOOK.exists(), reason="Ansible is not installed")
def test_a_server_without_an_address_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    inventory = shutil.copytree(_ANSIBLE / "inventory.example", tmp_path / "inventory")
    hosts = (inventory / "hosts.yml").read_text(encoding="utf-8")
    (inventory / "hosts.yml").write_text(hosts.replace("192.0.2.11", "w1.example.org"), encoding="utf-8")
    done = _ansible(tmp_path, str(_PLAYBOOK), "--inventory", str(inventory), "--limit=localhost,fleet,!w3", "site.yml")
    assert done.returncode == 2 and "w1.example.org is no address" in done.stdout


@pytest.mark.skipif(not _PLAYBOOK.exists(), reason="Ansible is not installed")
def test_nginx_asks_the_ports_of_the_instances_that_the_server_has(tmp_path: Path) -> None:
    asked = [
        "--module-name=ansible.builtin.debug",
        "--args=var=nginx_api_ports",
        '-e{"fleet_units": ["upkeep@0", "api@1"]}',
    ]
    inventory = f"--inventory={_ANSIBLE / 'inventory.example'}"
    done = _ansible(tmp_path, str(_PLAYBOOK.with_name("ansible")), "master", inventory, "--playbook-dir=.", *asked)
    assert re.findall(r"80\d\d", done.stdout) == ["8081"], done.stdout + done.stderr


@pytest.mark.skipif(not _PLAYBOOK.exists(), reason="Ansible is not installed")
def test_the_release_to_go_back_to_stays_when_only_settings_are_rolled_out(tmp_path: Path) -> None:
    marks = [f"/opt/vakanz/releases/{number}/installed-s-l" for number in ("0.1.0", "0.2.0", "0.3.0", "0.4.0")]
    known = {
        "vakanz_found": [[mark, str(at), ""] for at, mark in enumerate(marks)], "vakanz_there": marks,
        "vakanz_back_to": "0.3.0", "vakanz_running": "0.3.0", "vakanz_before": "0.2.0", "vakanz_releases_kept": 2,
    }  # fmt: skip
    asked = ["--module-name=ansible.builtin.debug", "--args=var=vakanz_old", f"-e{json.dumps(known)}"]
    variables = f"-e@{_ANSIBLE / 'roles/vakanz/vars/main.yml'}"
    done = _ansible(tmp_path, str(_PLAYBOOK.with_name("ansible")), "localhost", variables, *asked)
    # 0.4.0 fell sick when it was tried, and is the younger of the two that do not run.
    assert re.findall(r"0[.]\d[.]0", done.stdout) == ["0.1.0"], done.stdout + done.stderr


def _ansible(scratch: Path, *line: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ANSIBLE_LOCAL_TEMP": str(scratch), "ANSIBLE_CONFIG": str(_ANSIBLE / "ansible.cfg")}
    return subprocess.run(line, cwd=_ANSIBLE, env=environment, capture_output=True, text=True, timeout=60, check=False)
