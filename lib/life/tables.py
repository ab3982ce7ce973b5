"""Tables for a person at a terminal, and for whoever searches their rows in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

_WIDE = 10_000


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows to standard output: at a terminal long values are folded, elsewhere every row is one whole line.

    Values are shown as they are: hosts and pages may write what rich takes for markup, or a terminal for commands.
    """
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else _plain(str(value)) for value in row))
    console = Console(markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)


def _plain(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)
