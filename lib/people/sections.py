"""Divides a résumé into its sections, by their headings.

A heading is a line of its own that is called as headings are (`lib.people.headings`), or one that looks exactly as
those do: as large, in capitals where they are. What stands before the first one is its writer's name and address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import msgspec

from lib.people.headings import kind_of_heading, kind_of_label
from lib.people.paper import Lines, Section, SectionKind

_MAX_WORDS = 5
_LOOKALIKES = 2  # headings that must look the same before a stranger is taken for one
_LARGER = 1.05


class _Head(msgspec.Struct, frozen=True):
    """A heading at line `at`. `beside`: the section's first words stand in the same line."""

    at: int
    kind: SectionKind
    title: str
    beside: bool = False


_Look = tuple[float, bool]


def divide(paper: Lines) -> tuple[Section, ...]:
    """The sections in order; together they hold all lines. One `other` section where no heading is found."""
    lines = paper.text.split("\n")
    known = list(_known(lines))
    heads = sorted([*known, *_lookalikes(lines, known, paper.sizes)], key=lambda head: head.at)
    return tuple(section for section in _parts(lines, heads) if section.text or section.title)


def _known(lines: Sequence[str]) -> Iterator[_Head]:
    for at, line in enumerate(lines):
        kind = kind_of_heading(line)
        if kind is not None:
            yield _Head(at, kind, _title(line))
        elif (label := kind_of_label(line)) is not None:
            yield _Head(at, label[0], label[1].strip(), beside=True)


def _lookalikes(lines: Sequence[str], known: Sequence[_Head], sizes: Mapping[str, float]) -> Iterator[_Head]:
    """Lines that look as several known headings do and as no ordinary line does, after the first known one."""
    body = median(sizes.values()) if sizes else 0.0
    looks = Counter(_look(lines[head.at], sizes) for head in known if not head.beside)
    telling = {
        look for look, seen in looks.items() if seen >= _LOOKALIKES and (look[1] or look[0] > _LARGER * body > 0)
    }
    if not telling:
        return
    taken = {head.at for head in known}
    for at in range(known[0].at + 1, len(lines)):
        line = lines[at]
        if at not in taken and _may_be_heading(line) and _look(line, sizes) in telling:
            yield _Head(at, "other", _title(line))


def _look(line: str, sizes: Mapping[str, float]) -> _Look:
    return round(sizes.get(" ".join(line.split()), 0.0), 1), line.isupper()


def _may_be_heading(line: str) -> bool:
    words = line.split()
    return 0 < len(words) <= _MAX_WORDS and len(line) > 4 and not any(c.isdigit() or c in ",;.@•" for c in line)


def _title(line: str) -> str:
    return line.strip().rstrip(":").strip()


def _parts(lines: Sequence[str], heads: Sequence[_Head]) -> Iterator[Section]:
    first = heads[0].at if heads else len(lines)
    yield Section("other", "", _text(lines[:first]))
    ends = [*(head.at for head in heads[1:]), len(lines)][: len(heads)]
    for head, end in zip(heads, ends, strict=True):
        body = lines[head.at + 1 : end]
        if head.beside:
            body = [lines[head.at].partition(":")[2], *body]
        yield Section(head.kind, head.title, _text(body))


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip()
