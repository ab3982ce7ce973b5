"""Paid providers and what can be bought of them: one row for each operation.

To add a provider, add its row: where it is, how its key travels, how many calls it answers at once, and its operations,
each with its parameters (`api.gateway.parameters` has the usual checks), what it may cost, and a pure function that
says what a good answer cost (`api.gateway.meanings` has the usual ones).

HasData: https://docs.hasdata.com/quickstart, /credits-and-concurrency, /apis/web-scraping-api/request-cost (read
2026-11). One key in `x-api-key`; scraping is GET with a query, but for /scrape/web, which takes JSON; each request is
answered when it is done, after 300 s at the latest; a client that goes earlier may be charged for what it never saw.
Answers do not say what they cost: listings 5 and jobs 1 are as agreed, and its statement tells when that is wrong.

Language models: POST /chat/completions as OpenAI describes it and others follow, read as a stream whose last chunk
tells the tokens (`stream_options.include_usage`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

import msgspec
import orjson

from api.gateway.meanings import Meaning, hasdata, llm
from api.gateway.parameters import BadParameters, Parameters, Rule, form, messages, one_of, public_page, whole
from lib.net.policy import HostLimits

_DEADLINE_S = 310.0  # HasData's own 300 s, and the way there and back
_PAGE_BYTES = 16 * 1024 * 1024
_STREAM_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Terms:
    """What the operator agreed on with the provider of language models."""

    model: str = ""
    credits_per_1000: float = 1.0

    def credits_for(self, tokens: int) -> int:
        """What so many tokens count for, rounded up, 1 at least."""
        return max(1, ceil(tokens * self.credits_per_1000 / 1000))


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that can be bought. `pack` gives the query of a GET or the JSON of a POST; `ceiling` is the most that
    it may cost, `read` what a whole answer with status 200 did cost. `kept`: the answer is worth keeping, and nobody's
    secret. `busy_s`: how long the provider may take."""

    path: str
    parameters: Mapping[str, Rule]
    ceiling: Callable[[Parameters, Terms], int]
    read: Callable[[bytes, Terms], Meaning]
    pack: Callable[[Parameters, Terms], Mapping[str, object]] = lambda parameters, terms: parameters
    method: Literal["GET", "POST"] = "GET"
    media: str = "application/json"
    streamed: bool = False
    kept: bool = True
    busy_s: float = _DEADLINE_S
    max_bytes: int = _PAGE_BYTES

    def check(self, parameters: Parameters) -> None:
        """Raises BadParameters."""
        for name in parameters:
            if name not in self.parameters:
                raise BadParameters(f"no such parameter; there are {', '.join(self.parameters)}")
        for name, rule in self.parameters.items():
            value = parameters.get(name, "")
            if not value.strip():
                if rule.needed:
                    raise BadParameters(f"{name}: is needed")
                continue
            if len(value) > rule.longest or "\0" in value:
                raise BadParameters(f"{name}: at most {rule.longest} signs, none of them NUL")
            try:
                rule.check(value)
            except ValueError as error:
                raise BadParameters(f"{name}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Somebody who is paid. `setting`: which one says where it is; `key`: the header and how the key stands in it;
    `places`: how many calls it answers at once, over all gateways."""

    setting: str
    key: tuple[str, str]
    needs_key: bool
    places: int
    limits: HostLimits
    operations: Mapping[str, Operation]


_INDEED = r"[a-z]{2,3}\.indeed\.com"
_GLASSDOOR = r"[a-z]{2,3}\.glassdoor\.(?:com|de|at|ch)"
_WORDS = Rule(needed=True)


def _fixed(cost: int) -> Callable[[Parameters, Terms], int]:
    return lambda parameters, terms: cost


def _charged(cost: int) -> Callable[[bytes, Terms], Meaning]:
    return lambda body, terms: hasdata(body, cost)


def _job(path: str, site: str, example: str) -> Operation:
    """`site`: a pattern of host names, whose pages are asked for."""
    return Operation(
        path=path,
        parameters={"url": Rule(2_000, needed=True, check=form(rf"https://(?:{site})/[!-~]*", example))},
        ceiling=_fixed(1),
        read=_charged(1),
    )


def _listing(path: str, parameters: Mapping[str, Rule]) -> Operation:
    return Operation(
        path=path, parameters={"keyword": _WORDS, "location": _WORDS, **parameters}, ceiling=_fixed(5), read=_charged(5)
    )


def _web(parameters: Parameters, terms: Terms) -> Mapping[str, object]:
    """Without scripts and by a data centre's address a page costs 1 credit; everything else costs more."""
    return {
        "url": public_page(parameters["url"]),
        "outputFormat": ["html", "json"],  # one format alone comes bare, without its status
        "proxyType": "datacenter",
        "proxyCountry": parameters.get("proxyCountry") or "DE",
        "jsRendering": False,
        "blockAds": True,
        "removeBase64Images": True,
    }


def _chat(parameters: Parameters, terms: Terms) -> Mapping[str, object]:
    body: dict[str, object] = {
        "model": terms.model,
        "messages": [msgspec.to_builtins(said) for said in messages(parameters["messages"])],
        "max_tokens": int(parameters["max_tokens"]),
        "temperature": float(parameters.get("temperature") or "0.2"),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if parameters.get("format") == "json":
        body["response_format"] = {"type": "json_object"}
    return body


def _most_tokens(parameters: Parameters, terms: Terms) -> int:
    """No tokenizer makes more than one token of a byte; each message has a frame of a few."""
    said = messages(parameters["messages"])
    asked = sum(len(one.content.encode("utf-8", "replace")) + 16 for one in said) + 16
    return terms.credits_for(asked + int(parameters["max_tokens"]))


PROVIDERS: Mapping[str, Provider] = {
    "hasdata": Provider(
        setting="hasdata_url",
        key=("x-api-key", "{key}"),
        needs_key=True,
        places=15,
        limits=HostLimits(rate_per_s=30.0, burst=15, concurrency=None),  # how many at once: the ledger counts
        operations={
            "indeed_listing": _listing(
                "/scrape/indeed/listing",
                {
                    "domain": Rule(check=form(_INDEED, "de.indeed.com")),
                    "sort": Rule(check=one_of("date", "relevance")),
                    "start": Rule(check=whole(0, 1_000)),
                },
            ),
            "glassdoor_listing": _listing(
                "/scrape/glassdoor/listing",
                {
                    "domain": Rule(check=form(_GLASSDOOR, "www.glassdoor.de")),
                    "sort": Rule(check=one_of("recent", "relevant")),
                    "nextPageToken": Rule(4_000),
                },
            ),
            "indeed_job": _job("/scrape/indeed/job", _INDEED, "https://de.indeed.com/viewjob?jk=..."),
            "glassdoor_job": _job("/scrape/glassdoor/job", _GLASSDOOR, "https://www.glassdoor.de/job-listing/..."),
            "web": Operation(
                path="/scrape/web",
                method="POST",
                pack=_web,
                parameters={
                    "url": Rule(2_000, needed=True, check=public_page),
                    "proxyCountry": Rule(check=one_of("DE", "FR", "UK", "US")),
                },
                ceiling=_fixed(1),
                read=_charged(1),
            ),
        },
    ),
    "llm": Provider(
        setting="llm_url",
        key=("Authorization", "Bearer {key}"),
        needs_key=False,  # one on this machine asks for none
        places=10,
        limits=HostLimits(rate_per_s=10.0, burst=10, concurrency=None),
        operations={
            "chat": Operation(
                path="/chat/completions",
                method="POST",
                pack=_chat,
                parameters={
                    "messages": Rule(200_000, needed=True, check=messages),
                    "max_tokens": Rule(needed=True, check=whole(1, 32_000)),
                    "temperature": Rule(check=form(r"[01](\.\d{1,2})?", "0.2")),
                    "format": Rule(check=one_of("text", "json")),
                },
                ceiling=_most_tokens,
                read=lambda body, terms: llm(body, terms.credits_for),
                media="text/event-stream",
                streamed=True,
                kept=False,  # it is about one person
                busy_s=180.0,
                max_bytes=_STREAM_BYTES,
            ),
        },
    ),
}


def packed(operation: Operation, parameters: Parameters, terms: Terms) -> tuple[dict[str, str], bytes | None]:
    """The query and the body of a request."""
    values = operation.pack({name: value for name, value in parameters.items() if value.strip()}, terms)
    if operation.method == "GET":
        return {name: str(value) for name, value in values.items()}, None
    return {}, orjson.dumps(values)
