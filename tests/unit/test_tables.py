from __future__ import annotations

import pytest

from lib.life.tables import show_table


def test_a_row_is_one_whole_line_in_a_pipe_and_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = ["[/red] :office: [b]x", "a\x1b[2Jb\nc", None, 7, "y" * 300]
    show_table(["one", "two", "three", "four", "five"], [hostile])
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "office" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["[/red] :office: [b]x", "a [2Jb c", "", "7", "y" * 300]


def test_long_values_are_folded_at_a_terminal_and_nothing_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    address = "https://www.acme.example/karriere/stelle/koch-linz-5900049"
    show_table(["page", "state"], [[address, "read"]])
    lines = capsys.readouterr().out.splitlines()
    assert "".join(line.split("│")[1].strip() for line in lines if "│" in line) == address
