"""Three people look for work: what the API answers them, before and after the texts have been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import anyio

from lib.errors import VakanzError

PROFILES: tuple[Mapping[str, Any], ...] = (
    {
        "title": "Pflegefachkraft",
        "text": "Examinierte Pflegefachkraft mit sechs Jahren Erfahrung auf einer chirurgischen Station, "
        "Wundmanagement und Praxisanleitung. Ich suche eine Stelle in Vollzeit.",
        "limits": {"countries": ["DE", "AT", "CH"]},
    },
    {
        "title": "Software engineer",
        "text": "Backend developer, five years of Python and PostgreSQL, Docker, some Kubernetes. "
        "I would like to work hybrid or remote in an English-speaking team.",
        "limits": {"countries": ["DE", "AT", "CH"]},
    },
    {
        "title": "Elektroniker für Betriebstechnik",
        "text": "Elektroniker mit Gesellenbrief, Instandhaltung und Störungssuche an Produktionsanlagen, "
        "SPS-Kenntnisse, Führerschein Klasse B, bereit zu Schichtarbeit.",
        "limits": {"countries": ["DE", "AT", "CH"]},
    },
)


class ApiFailed(VakanzError):
    """The API did not answer as it should."""


@dataclass(frozen=True)
class Answer:
    """What one person got. `matches` as the API gives them, best first."""

    search_id: str
    matches: list[dict[str, Any]]


async def ask(url: str, key: str, *, patience_s: float = 60.0) -> list[Answer]:
    """One answer per profile; waits up to `patience_s` for the API to come up. Raises ApiFailed."""
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=60)) as client:
        return [await _ask_one(client, f"{url}/match", profile, patience_s) for profile in PROFILES]


async def _ask_one(client: aiohttp.ClientSession, url: str, profile: Mapping[str, Any], patience_s: float) -> Answer:
    reason = "no answer"
    with anyio.move_on_after(patience_s):
        while True:
            try:
                async with client.post(url, json=profile) as answer:
                    body = await answer.json()
                    if answer.status == 200:
                        return Answer(body["id"], body["matches"])
                    reason = f"{answer.status}: {body}"
                    if answer.status < 500:
                        break
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
            await anyio.sleep(0.3)
    raise ApiFailed(f"POST {url}: {reason}"[:500])
