"""The command line as an operator meets it: real processes, real servers."""

from pathlib import Path

import orjson
import pytest

from tests.integration.commands import vakanz


def test_help_lists_every_room(environment: dict[str, str]) -> None:
    done = vakanz(environment, "--help")
    assert done.returncode == 0
    for name in ("up", "demo", "migrate", "daemon", "board", "crawl", "source", "shard", "followers", "deadletter"):
        assert name in done.stdout


def test_boards_are_added_once_and_listed(environment: dict[str, str]) -> None:
    first = vakanz(environment, "board", "add", "https://boards.greenhouse.io/acme", "--json")
    assert orjson.loads(first.stdout) == {"id": 1, "source": "greenhouse", "tenant": "acme", "added": True}
    again = vakanz(environment, "board", "add", "https://job-boards.greenhouse.io/acme/jobs/123", "--json")
    assert orjson.loads(again.stdout)["added"] is False
    listed = vakanz(environment, "board", "list", "--json")
    rows = [orjson.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["tenant"], row["open"]) for row in rows] == [("acme", 0)]


def test_standard_output_is_json_alone_also_where_something_is_logged(environment: dict[str, str]) -> None:
    vakanz(environment, "board", "add", "https://boards.greenhouse.io/acme")
    # A market that is nowhere: the crawl fails, and says so in the log as well.
    done = vakanz(environment | {"VAKANZ_SIMULATOR": "http://127.0.0.1:9"}, "crawl", "run", "acme", "--json")
    assert done.returncode == 1
    assert orjson.loads(done.stdout)["error"].startswith("Transient: ")
    assert orjson.loads(done.stderr.splitlines()[-1])["event"] == "crawled"


def test_errors_are_one_line_and_exit_code_1(environment: dict[str, str]) -> None:
    for arguments in (
        ("board", "add", "https://example.com/jobs"),
        ("crawl", "run", "nobody"),
        ("daemon", "nobody@0"),
        ("match", "--profile", "/nowhere/profile.json"),
    ):
        done = vakanz(environment, *arguments)
        assert done.returncode == 1, (arguments, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1, (arguments, done.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("board", "list"), ("up",)])
def test_a_home_that_can_be_no_folder_is_one_line(
    environment: dict[str, str], tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        done = vakanz(environment | {"VAKANZ_DSN": "", "VAKANZ_HOME": str(home)}, *command)
        assert done.returncode == 1
        assert done.stderr.startswith("vakanz: configuration: home: "), done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_database_that_does_not_answer_or_does_not_exist_is_one_line(environment: dict[str, str], dsn: str) -> None:
    for wrong in ("postgresql://vakanz@127.0.0.1:1/vakanz", dsn.replace("/t_", "/nobody_")):
        done = vakanz(environment | {"VAKANZ_DSN": wrong}, "board", "list")
        assert done.returncode == 1
        assert done.stderr.startswith("vakanz: PostgreSQL: "), done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_wrong_configuration_lists_all_problems(environment: dict[str, str]) -> None:
    done = vakanz(environment | {"VAKANZ_API_PORT": "x", "VAKANZ_HOST_RATE": "-1"}, "migrate")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("nobody",),
        ("shard", "run", "8"),
        ("shard", "run", "1", "--follower", "x"),
        ("key", "revoke", str(2**63)),
        ("deadletter", "retry", str(2**63)),
        ("deadletter", "list", "--limit", str(2**63)),
    ],
)
def test_bad_usage_exits_with_2(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = vakanz(environment, *arguments)
    assert done.returncode == 2, done.stderr


def test_migrating_twice_changes_nothing(environment: dict[str, str]) -> None:
    assert "newest already" in vakanz(environment, "migrate").stdout


def test_a_shard_is_run_by_hand(environment: dict[str, str]) -> None:
    done = vakanz(environment, "shard", "run", "3", "--follower", "text", "--follower", "place", "--json")
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout) == {"shard": 3, "rows": {"text": 0, "place": 0}}
    status = vakanz(environment, "shard", "status", "--json")
    assert {(row["name"], row["lag"]) for row in map(orjson.loads, status.stdout.splitlines())} == {
        ("text", 0),
        ("place", 0),
    }


def test_a_key_is_shown_once_and_kept_as_a_hash(environment: dict[str, str]) -> None:
    done = vakanz(environment, "key", "create", "--label", "test", "--json")
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["key"].startswith("vk_")
    listed = vakanz(environment, "key", "list", "--json")
    assert "vk_" not in listed.stdout
