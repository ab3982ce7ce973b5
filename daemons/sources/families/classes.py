"""Elements of a page by the names in their `class` attribute."""

from __future__ import annotations

from functools import cache

from lxml.etree import XPath
from lxml.html import HtmlElement


def with_class(tree: HtmlElement, name: str) -> list[HtmlElement]:
    """The elements below `tree` that carry the class, in the order of the page."""
    found = _finder(name)(tree)
    return [element for element in found if isinstance(element, HtmlElement)] if isinstance(found, list) else []


def first_with_class(tree: HtmlElement, name: str) -> HtmlElement | None:
    """The first of them, None where there is none."""
    return next(iter(with_class(tree, name)), None)


@cache
def _finder(name: str) -> XPath:
    return XPath(f'.//*[contains(concat(" ", normalize-space(@class), " "), " {name} ")]')
