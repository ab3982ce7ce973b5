"""schema.org JobPosting as pages carry it: JSON-LD, or microdata where there is none.

Properties after schema.org/JobPosting and what search engines ask of it. In the wild a property is a text, a number, a
list, `{"@value": ...}` or `{"name": ...}`; blocks are entity-encoded, nested in `@graph` or lists, and not quite JSON.
"""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import json5
import orjson
from lxml import etree

from lib.errors import Malformed
from lib.posting.contract import Posting, Record, Salary, clean_text
from lib.posting.countries import country_code
from lib.posting.markup import joined
from lib.posting.trees import html_tree, inner_html, text_of
from lib.posting.values import day, language, line, moment, places, salary

_FORGIVING = json.JSONDecoder(strict=False)
_AROUND = re.compile(
    r"\A\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?://\s*)?(?:\]\]>|-->)\s*;?\s*\Z"
)
_JSON5_CHARS = 60_000  # of a page, for a slow reader of what no other one takes
_MAX_NODES = 20_000
_MAX_FOUND = 2_000
_MAX_VALUES = 1_000  # of one property in microdata
_TEXTS = ("description", "responsibilities", "qualifications", "skills", "jobBenefits", "incentiveCompensation")
_ATTRIBUTES = ("content", "datetime", "href", "src", "value")
_NOTHING = frozenset({"-", "--", "n/a", "none", "null", "."})
_IGNORED = (
    "@context", "@type", "@id", "identifier", "directApply", "image", "logo", "url", "mainEntityOfPage", "industry",
    "workHours", "educationRequirements", "experienceRequirements", "experienceInPlaceOfEducation",
    "occupationalCategory", "applicantLocationRequirements", "totalJobOpenings", "jobImmediateStart", "jobStartDate",
    "applicationContact", "employerOverview", "specialCommitments", "estimatedSalary", "potentialAction", "sameAs",
)  # fmt: skip


def job_postings(body: bytes | str | etree._Element) -> list[dict[str, Any]]:
    """The JobPosting nodes of a page, JSON-LD first; microdata in the same shape where there is none.

    Raises Malformed when `body` is no page at all.
    """
    tree = body if isinstance(body, etree._Element) else html_tree(body)
    found: list[dict[str, Any]] = []
    room = _JSON5_CHARS
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text:
            continue
        text = _bare(script.text)
        value = _json(text)
        if value is None and len(text) <= room:
            room -= len(text)
            value = _json5(text)
        found += _nodes(value)
    return (found or list(_microdata(tree)))[:_MAX_FOUND]


def read_job_posting(item: Record, *, external_id: str, url: str) -> Posting:
    """The posting in a JobPosting node. Raises Malformed when it has no title."""
    title = _text(item.take("title")) or _text(item.take("name"))
    if title is None:
        raise Malformed("no title")
    item.skip(("name",))
    named, country = _where(item.take("jobLocation"))
    posting = Posting(
        external_id=external_id,
        title=title,
        url=url,
        company=_text(item.take("hiringOrganization")),
        places=named,
        country=country,
        remote="remote" if "TELECOMMUTE" in (_text(item.take("jobLocationType")) or "").upper() else None,
        employment_type=_joined(item.take("employmentType")),
        department=_text(item.take("department")),
        language=language(_text(item.take("inLanguage"))),
        posted_at=_moment(item.take("datePosted")),
        valid_through=_moment(item.take("validThrough")),
        salary=_salary(item.take("baseSalary"), _text(item.take("salaryCurrency"))),
        html=joined(filter(None, (_markup(item.take(name)) for name in _TEXTS))),
    )
    item.skip(_IGNORED)
    return posting


def _bare(text: str) -> str:
    """A block without what stands around it, and without the entities that it is written in."""
    text = _AROUND.sub("", text.strip().removeprefix("\ufeff"))
    if "&quot;" in text and '"' not in text.replace('\\"', "")[:2_000]:
        text = html.unescape(text)
    return text.rstrip("; \r\n\t")


def _json(text: str) -> Any:
    """The value in a JSON text, raw line breaks in strings allowed; None when there is none."""
    try:
        return orjson.loads(text.encode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        pass
    try:
        return _FORGIVING.decode(text)
    except (ValueError, RecursionError):
        return None


def _json5(text: str) -> Any:
    """The same with trailing commas, comments, single quotes and bare names allowed."""
    try:
        return json5.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All JobPosting objects inside `value`, breadth first."""
    waiting = deque([value])
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        node = waiting.popleft()
        if isinstance(node, list):
            waiting.extend(one for one in node if isinstance(one, dict | list))
        elif isinstance(node, dict):
            if _is_job_posting(node.get("@type")):
                yield node
            else:
                waiting.extend(one for one in node.values() if isinstance(one, dict | list))


def _is_job_posting(kind: Any) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    return any(isinstance(one, str) and re.split(r"[/:#]", one)[-1].strip().lower() == "jobposting" for one in kinds)


def _microdata(tree: etree._Element) -> Iterator[dict[str, Any]]:
    for element in tree.iter():
        if _is_job_posting(element.get("itemtype")) and element.get("itemprop") is None:
            yield _item(element)


def _item(element: etree._Element, depth: int = 0) -> dict[str, Any]:
    """The properties of an `itemscope`, nested ones as objects, repeated ones as lists."""
    found: dict[str, Any] = {"@type": element.get("itemtype") or ""}
    waiting = deque(element)
    while waiting:
        child = waiting.popleft()
        names = list(dict.fromkeys((child.get("itemprop") or "").split()))
        nested = child.get("itemscope") is not None
        value = _item(child, depth + 1) if nested and depth < 8 else _value(child, names)
        for name in names if value is not None else ():
            held = found.setdefault(name, [])
            if isinstance(held, list) and len(held) < _MAX_VALUES:
                held.append(value)
        if not nested:
            waiting.extendleft(reversed(child))
    return {name: held[0] if isinstance(held, list) and len(held) == 1 else held for name, held in found.items()}


def _value(element: etree._Element, names: list[str]) -> str | None:
    for name in _ATTRIBUTES:
        if stated := element.get(name):
            return stated
    if not names:
        return None
    return inner_html(element) if names[0] in _TEXTS else text_of(element)


def _plain(value: Any) -> Iterator[str]:
    """The texts in a property of whatever form, outermost first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for one in value[:100]:
            if not isinstance(one, list):
                yield from _plain(one)
    elif isinstance(value, dict):
        for key in ("@value", "name", "value", "legalName"):
            if isinstance(value.get(key), str | int | float):
                yield from _plain(value[key])
                return


def _lines(value: Any) -> Iterator[str]:
    for text in _plain(value):
        said = line(clean_text(html.unescape(_mended(text))))
        if said and said.lower() not in _NOTHING:
            yield said


def _text(value: Any) -> str | None:
    """The first text in a property, on one line, without entities."""
    return next((_short(said) for said in _lines(value)), None)


def _moment(value: Any) -> datetime | None:
    said = _text(value)
    return moment(said) or day(said, "dmy")


def _joined(value: Any) -> str | None:
    return _short(", ".join(dict.fromkeys(_lines(value)))) or None


def _short(text: str) -> str:
    return clean_text(text).strip()


def _markup(value: Any) -> str | None:
    return "\n".join(_mended(text) for text in _plain(value)) or None


def _mended(text: str) -> str:
    """UTF-8 that was once read as Windows-1252 ("fÃ¼r") as what it was."""
    if "Ã" not in text and "â€" not in text:
        return text
    try:
        return text.encode("cp1252").decode()
    except UnicodeError:
        return text


def _where(value: Any) -> tuple[tuple[str, ...], str | None]:
    """The places' names, and the country's code where all agree."""
    named: list[str | None] = []
    countries: set[str | None] = set()
    for place in (value if isinstance(value, list) else [value])[:100]:
        address = place.get("address", place) if isinstance(place, dict) else place
        if isinstance(address, list):
            address = next(iter(address), None)
        if not isinstance(address, dict):
            named.append(_text(address))
            continue
        country = _text(address.get("addressCountry"))
        countries.add(country_code(country))
        parts = [_text(address.get(key)) for key in ("addressLocality", "addressRegion")]
        if not any(parts):
            parts = [_text(address.get("postalCode")) or _text(place)]
        named.append(", ".join(dict.fromkeys(part for part in (*parts, country) if part)))
    return places(named), next(iter(countries)) if len(countries) == 1 else None


def _salary(value: Any, currency: str | None) -> Salary | None:
    if isinstance(value, list):
        value = next(iter(value), None)
    if not isinstance(value, dict):
        return salary(_number(value), None, currency, None)
    code = _text(value.get("currency")) or currency
    amount = value.get("value", value)
    if isinstance(amount, list):
        amount = next(iter(amount), None)
    if not isinstance(amount, dict):
        return salary(_number(amount), None, code, _text(value.get("unitText")))
    low, high, one = (_number(amount.get(key)) for key in ("minValue", "maxValue", "value"))
    return salary(
        one if low is None else low, high, code, _text(amount.get("unitText")) or _text(value.get("unitText"))
    )


def _number(value: Any) -> Any:
    """A number, or a text that may be one ("45.000,00", "45,000")."""
    if not isinstance(value, str):
        return value
    text = re.sub(r"[^\d.,]", "", value)
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?", text):
        text = re.sub(r"[.,](?=\d{3})", "", text)
    return text.replace(",", ".")
