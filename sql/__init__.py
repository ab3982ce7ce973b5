"""All SQL of Vakanz: migrations, and named statements for `lib.store`.

`queries/<topic>.sql` holds statements, each under a header line ``-- name --`` followed by a line that states its
purpose; `statements(topic)` is the whole loader. The purpose line is sent along, so that it shows in
pg_stat_activity and pg_stat_statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Literal

_HEADER = re.compile(r"^-- ([a-z0-9_]+) --$", re.MULTILINE)
_MIGRATION = re.compile(r"^(\d{4})_(pre|post)_([a-z0-9_]+)\.sql$")


@dataclass(frozen=True)
class Migration:
    """One migration file. `pre` runs before new code is started (both versions work on it), `post` after."""

    number: int
    stage: Literal["pre", "post"]
    name: str
    text: str


@cache
def statements(topic: str) -> SimpleNamespace:
    """The statements of `queries/<topic>.sql` as attributes. Raises FileNotFoundError, ValueError on a double name."""
    text = files(__package__).joinpath("queries", f"{topic}.sql").read_text(encoding="utf-8")
    parts = _HEADER.split(text)[1:]
    found: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in found:
            raise ValueError(f"queries/{topic}.sql has two statements named {name}")
        found[name] = body.strip()
    return SimpleNamespace(**found)


def migrations() -> list[Migration]:
    """All migrations by number. Raises ValueError for a file whose name does not say number, stage and purpose."""
    found = []
    for file in files(__package__).joinpath("migrations").iterdir():
        match = _MIGRATION.match(file.name)
        if match is None:
            raise ValueError(f"migrations/{file.name}: NNNN_pre_what.sql or NNNN_post_what.sql expected")
        stage: Literal["pre", "post"] = "pre" if match[2] == "pre" else "post"
        found.append(Migration(int(match[1]), stage, match[3], file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    if len({migration.number for migration in found}) != len(found):
        raise ValueError("two migrations have the same number")
    return found
