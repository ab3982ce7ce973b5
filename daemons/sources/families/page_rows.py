"""The rows of lists that are pages: elements found by their class, none inside another.

What is nested in a row belongs to it; a page of rows within rows is read in linear time, as each element is looked at
for one row only.
"""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from lib.posting.trees import text_of


def outermost(holder: etree._Element, wanted: Callable[[etree._Element], bool]) -> list[etree._Element]:
    """The wanted elements in `holder` (itself included) that are in no other wanted one, in their order."""
    found = []
    walk = etree.iterwalk(holder, events=("start",))
    for _, element in walk:
        if wanted(element):
            found.append(element)
            walk.skip_subtree()
    return found


def classed(holder: etree._Element, *names: str) -> list[etree._Element]:
    """The outermost elements that have one of the classes."""
    return outermost(holder, lambda element: has_class(element, *names))


def has_class(element: etree._Element, *names: str) -> bool:
    """Whether the element has one of the classes."""
    stated = element.get("class")
    return stated is not None and any(name in stated.split() for name in names)


def said(row: etree._Element, name: str) -> str | None:
    """The text of the first element of a class that has any."""
    return next(filter(None, map(text_of, classed(row, name))), None)
