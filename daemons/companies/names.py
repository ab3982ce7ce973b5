"""The word of a tenant or a host that names its company, to tell a company's own board from others'. Pure."""

from __future__ import annotations

import re

from daemons.companies.guesses import slugs

_SHORTEST = 4  # of a name that may be a part of another: "abc" is in too many


def word(text: str) -> str:
    """The naming label of a host or tenant, letters and digits only: "acme" for "karriere.acme.de", "acme.wd3/External"
    and "io:acme"."""
    labels = text.casefold().rpartition(":")[2].partition("/")[0].strip(".").split(".")
    return re.sub(r"[\W_]+", "", labels[-2] if len(labels) > 1 else labels[0])


def alike(one: str, other: str) -> bool:
    """Whether two hosts or tenants may be one company's: one's word is the other's, or a part of it."""
    short, long = sorted((word(one), word(other)), key=len)
    return bool(short) and (short == long or (len(short) >= _SHORTEST and short in long))


def same(tenant: str, other: str, company: str | None) -> bool:
    """Whether `tenant` has the name of another tenant, or one that the company's name gives: a part is not enough."""
    named = {word(other), *(word(slug) for slug in slugs(company or ""))}
    return word(tenant) in named - {""}
