"""No secret leaves in an alert: neither one that this configuration holds, nor what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from urllib.parse import unquote, urlsplit

from keeper.incident import Incident
from lib.life.config import Config
from lib.net.secrets import Veil

HIDDEN = "***"
_LONGEST = 4_000  # signs of one text that are looked at; nobody reads more of a line
_SHORTEST = 6  # a shorter secret would be found everywhere
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<!\d)\d{5,12}:[A-Za-z0-9_-]{30,64}"), HIDDEN),  # a bot's token, also within an address
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),  # a web token
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,30}://)[^\s/\"'<>]{0,300}@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}:[^\s:@/\"'<>]{1,128}@(?=[\w.-]{1,255}:\d{1,5}\b)"), f"{HIDDEN}@"),
    (
        re.compile(r"((?:authorization|cookie)[\\\"']{0,2}\s{0,3}[=:]\s{0,3}[\\\"']{0,2})[^\"'\\]+", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(Bearer|Basic|Digest|Negotiate)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"((?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|app[_-]?key|access[_-]?key|private[_-]?key"
            r"|credentials?|signature)[\w-]{0,20}[\\\"']{0,2}\s{0,3}(?:=|:|%3D)\s{0,3}[\\\"']{0,2})"
            r"(?!Bearer|Basic|Digest|Negotiate)[^\s\"'&,;}\\]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


class Mask:
    """Hides what this configuration holds, and what looks like a secret anywhere."""

    def __init__(self, config: Config) -> None:
        held = {secret for secret in _secrets(config) if len(secret) >= _SHORTEST}
        self._veil = Veil({f"hidden {number}": secret for number, secret in enumerate(sorted(held), 1)})
        self._has = bool(held)

    def text(self, text: str) -> str:
        """`text` as one that can be stored and shown: without secrets, control signs and lone surrogates."""
        cut = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text[:_LONGEST])
        if self._has:
            cut = self._veil.text(cut)
        for pattern, instead in _PATTERNS:
            cut = pattern.sub(instead, cut)
        return cut

    def incident(self, incident: Incident) -> Incident:
        """The incident without secrets. Its key is masked as well: one that differs in a secret stays the same one."""
        return replace(
            incident,
            key=self.text(incident.key),
            title=self.text(incident.title),
            host=self.text(incident.host),
            units=tuple(map(self.text, incident.units)),
            why=self.text(incident.why),
            lines=tuple(map(self.text, incident.lines[-20:])),
            did=tuple(map(self.text, incident.did)),
            facts={self.text(name): self.text(value) for name, value in incident.facts.items()},
        )


def _secrets(config: Config) -> Iterator[str]:
    yield config.telegram_token
    yield from config.keys.values()
    addresses = chain(
        (config.dsn, config.direct_dsn, config.redis_url, config.alert_smtp, config.alert_webhook), config.proxies
    )
    yield from chain.from_iterable(map(_of_address, addresses))
    yield config.alert_webhook  # who knows the address may write there


def _of_address(address: str) -> Iterable[str]:
    try:
        password = urlsplit(address).password or ""
    except ValueError:  # an address that is none; the configuration says so
        return ()
    return (password, unquote(password))
