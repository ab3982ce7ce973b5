"""`source list` and `source parse`: saved payloads in, JSON lines out."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from daemons.sources import SOURCES
from daemons.sources.cli import source_app

PAYLOADS = Path(__file__).parent.parent / "payloads"
KEYS = {
    "external_id", "url", "apply_url", "title", "company", "places", "remote", "employment_type", "department",
    "language", "posted_at", "valid_through", "salary", "text", "country", "teaser",
}  # fmt: skip


def call(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(source_app, [str(argument) for argument in arguments], input=stdin)


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list_names_every_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAKANZ_HOME", str(tmp_path / "nothing"))
    listed = lines(call("list", "--json"))
    assert [line["name"] for line in listed] == list(SOURCES)
    shown = call("list").stdout.splitlines()
    assert [line.split()[0] for line in shown[1 : len(SOURCES) + 1]] == list(SOURCES)
    assert not (tmp_path / "nothing").exists()

    off = {line["name"] for line in listed if not line["on"]}
    assert off == {"adzuna", "bundesagentur", "jooble", "successfactors_csb"}
    assert all(any(line.startswith(f"{name} is off: ") for line in shown) for name in off)
    monkeypatch.setenv("VAKANZ_CONSENTED_SOURCES", "jooble")
    assert {line["name"] for line in lines(call("list", "--json")) if not line["on"]} == off - {"jooble"}


@pytest.mark.parametrize("name", SOURCES)
def test_every_saved_payload_gives_lines(name: str) -> None:
    for golden in (PAYLOADS / name).glob("*.golden.json"):
        expected = json.loads(golden.read_text())
        (saved,) = (path for path in golden.parent.glob(f"{golden.name.split('.')[0]}.*") if path != golden)
        asked = ["--tenant", expected["tenant"]]
        asked += ["--cursor", expected["cursor"]] if expected.get("cursor") else []
        asked += ["--id", expected["detail_of"]] if "detail_of" in expected else []
        rows = lines(call("parse", name, *asked, saved))
        wanted = expected["page"]["rows"] if "page" in expected else [expected["row"]]
        assert [row["external_id"] for row in rows] == list(dict.fromkeys(row["external_id"] for row in wanted))
        for row in rows:
            assert row.keys() == KEYS
            # Text may have such signs of its own ("< 5 Betten"), but no markup is left in it.
            assert row["text"] is None or not re.search(r"</?(?:p|div|ul|li|br|h\d|strong|span)\b", row["text"])


def test_what_a_payload_does_not_say_is_null() -> None:
    (row,) = lines(call("parse", "personio", "--tenant", "acme", PAYLOADS / "personio" / "english.xml"))
    assert row["language"] is None, "the feed itself does not name its language"
    assert row["posted_at"] is row["salary"] is row["department"] is row["valid_through"] is row["company"] is None
    assert row["text"].split() == ["Tasks", "Help."]


def test_salary_and_times() -> None:
    row = lines(call("parse", "lever", "--tenant", "eu:musterbahn", PAYLOADS / "lever" / "site.json"))[0]
    assert row["salary"] == {"min": 60000.0, "max": 80000.0, "currency": "EUR", "period": "year"}
    assert row["posted_at"] == "2025-11-27T01:02:41.939000Z"


def test_gzip_and_standard_input(tmp_path: Path) -> None:
    raw = (PAYLOADS / "ashby" / "board.json").read_bytes()
    packed = tmp_path / "board.json.gz"
    packed.write_bytes(gzip.compress(raw, mtime=0))
    plain = lines(call("parse", "ashby", "--tenant", "acme", "-", stdin=raw))
    assert plain == lines(call("parse", "ashby", "--tenant", "acme", packed))
    assert plain == lines(call("parse", "ashby", "--tenant", "acme", "-", stdin=gzip.compress(raw, mtime=0)))
    assert len(plain) == 3


def test_pages_are_merged_by_id() -> None:
    folder = PAYLOADS / "personio"
    rows = lines(call("parse", "personio", "--tenant", "acme", folder / "german.xml", folder / "english.xml"))
    assert [(row["external_id"], row["title"]) for row in rows] == [
        ("1834171", "Software Engineer (m/w/d)"),
        ("1834172", "Support Agent"),
    ]


def test_a_detail_fills_its_row_and_a_withdrawn_one_takes_it_away(tmp_path: Path) -> None:
    folder = PAYLOADS / "smartrecruiters"
    filled = lines(call("parse", "smartrecruiters", "--tenant", "m", folder / "list.json", folder / "detail.json"))
    assert [(row["external_id"], row["text"] is None) for row in filled] == [
        ("743999671674844", False),
        ("743999671674845", True),
    ]
    assert filled[0]["employment_type"] == "Teilzeit", "said by the list only"
    withdrawn = tmp_path / "withdrawn.json"
    withdrawn.write_text(json.dumps(json.loads((folder / "detail.json").read_text()) | {"active": False}))
    result = call("parse", "smartrecruiters", "--tenant", "m", folder / "list.json", withdrawn)
    assert [row["external_id"] for row in lines(result)] == ["743999671674845"]
    assert "gone: 743999671674844" in result.stderr


def test_what_could_not_be_read_is_told_beside_the_rows() -> None:
    result = call("parse", "greenhouse", "--tenant", "Musterwerk", PAYLOADS / "greenhouse" / "board.json")
    assert len(lines(result)) == 3
    assert result.stderr.count("rejected: ") == 2
    assert "unknown fields: hiring_team (1)" in result.stderr
    assert (
        "incomplete: the list declares 240 rows, 3 are here"
        in call("parse", "smartrecruiters", "--tenant", "m", PAYLOADS / "smartrecruiters" / "list.json").stderr
    )


@pytest.mark.parametrize(
    "content", [b"", b"Not Found", b"{}", b"[[[", b"\x1f\x8b\x08cut", gzip.compress(b"[]", mtime=0)[:-9]]
)
@pytest.mark.parametrize("name", SOURCES)
def test_an_unreadable_payload_is_one_line_and_exit_1(name: str, content: bytes, tmp_path: Path) -> None:
    saved = tmp_path / "payload"
    saved.write_bytes(content)
    golden = min((PAYLOADS / name).glob("*.golden.json"))
    result = call("parse", name, "--tenant", orjson.loads(golden.read_bytes())["tenant"], saved)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    if result.exit_code == 0:  # a site without a feed is read otherwise
        assert result.stderr.startswith("the list goes on: ")
    else:
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: {saved}: ")


def test_a_missing_file_is_one_line_and_exit_1(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        result = call("parse", "lever", "--tenant", "acme", path)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("parse", "monster", "--tenant", "acme", "x"),
        ("parse", "lever", "--tenant", "../acme", "x"),
        ("parse", "lever", "x"),
        ("parse", "lever", "--tenant", "acme"),
        ("parse", "lever", "--nope"),
    ],
)
def test_bad_usage_is_exit_2(arguments: tuple[str, ...]) -> None:
    assert call(*arguments).exit_code == 2
