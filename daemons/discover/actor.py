"""The discover daemon: buys what paying users' searches need, in two streams, and tells what came of it.

Any number may run. Encoders are loaded before the first job: whoever waits for a search must not wait for them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread

from daemons.discover.claims import Claims
from daemons.discover.discovery import Discovery
from daemons.discover.enrichment import Enrichment
from daemons.discover.intake import Intake
from daemons.discover.recovery import LOOK_S, Recovery
from daemons.discover.telling import Telling
from daemons.embed.texts import TextVectors
from lib.life.actor import Life
from lib.life.config import Config
from lib.life.renewing import renewing
from lib.life.session import begin_session
from lib.match.encoder import load_text_encoder, load_title_encoder
from lib.match.encoders import Encoders
from lib.match.live import Thresholds
from lib.match.matcher import Matcher
from lib.match.profile import Profile, read_profile
from lib.spend.client import Gateway
from lib.store.blobs import Blobs, PatientBlobs
from lib.store.connections import Link
from lib.store.streams import Stream
from lib.store.workers import Policy, consume

DISCOVERY, DETAILS = "discovery", "details"
_PATIENCE_S = 30.0  # whoever watches a search is not to watch a provider that is away for longer
_REST_S = 5.0
_SEARCHES = Policy(concurrency=15)
_TEXTS = Policy(concurrency=60, attempts=3, longest_retry_s=5.0)  # more than are fetched: others are taken in meanwhile
_FAMILIAR = Profile(title="Koch", location="Bern", text="Ich bin Koch und suche eine Stelle in einem Restaurant.")


@dataclass(frozen=True)
class Works:
    """The parts of the daemon, put together."""

    claims: Claims
    telling: Telling
    discovery: Discovery
    enrichment: Enrichment
    recovery: Recovery


def encoders_of(config: Config) -> Encoders:
    """Both encoders as configured."""
    threads = config.model_threads or os.cpu_count() or 1
    return Encoders(load_title_encoder, partial(load_text_encoder, config.text_model, config.models, threads))


@renewing
async def serve(life: Life) -> None:
    """Works on both streams until asked to stop; without a gateway it only waits for one."""
    if not life.config.gateway_url:
        life.say("idle", "gateway_url names no gateway through which anything could be bought")
        while not await life.pause(_REST_S):
            pass
        return
    life.say("starting", "loading encoders")
    encoders = encoders_of(life.config)
    async with works(life, encoders) as parts:
        await work(life, parts)


@asynccontextmanager
async def works(life: Life, encoders: Encoders) -> AsyncIterator[Works]:
    """The parts, with encoders and tables loaded, in a crawl session of their own."""
    config, database = life.config, life.database
    titles, texts = await encoders.title(), await encoders.text()
    await anyio.to_thread.run_sync(read_profile, _FAMILIAR)
    session = await begin_session(database, config)
    blobs = PatientBlobs(Blobs(config.blobs), Link("blobs", waiting=life.progress))
    vectors = TextVectors(database, config.text_model, lambda: texts, life.progress)
    intake = Intake(database, blobs, session, lambda: titles, vectors, life.progress)
    matcher = Matcher(
        database, encoders, text_model=config.text_model, expire_days=config.expire_days,
        min_score=config.match_min_score,
    )  # fmt: skip
    held = Claims(database, f"{config.host}:{life.unit}:{secrets.token_hex(4)}")
    telling = Telling(database, matcher, encoders)
    searches, details = Stream(life.cache, DISCOVERY), Stream(life.cache, DETAILS)
    async with Gateway(config.gateway_url, config.gateway_key, patience_s=_PATIENCE_S) as gateway:
        discovery = Discovery(
            database, gateway, intake, telling, held, details,
            thresholds=Thresholds(config.discovery_score, config.discovery_found),
            most_listings=config.discovery_listings, most_details=config.discovery_details, turned=life.progress,
        )  # fmt: skip
        yield Works(
            held,
            telling,
            discovery,
            Enrichment(database, gateway, intake, telling, held, config.credits_in_flight, life.progress),
            Recovery(database, telling, searches, details),
        )


async def work(life: Life, parts: Works) -> None:
    """Works on both streams until asked to stop, and finishes the jobs in hand."""
    async with anyio.create_task_group() as background:
        # Twice enrichment: while one writes, the other one's texts are encoded.
        for keeping in (parts.claims.keep, parts.telling.run, parts.enrichment.run, parts.enrichment.run):
            background.start_soon(keeping)
        background.start_soon(_look, life, parts.recovery)
        async with anyio.create_task_group() as jobs:
            for name, handle, policy in (
                (DISCOVERY, parts.discovery.handle, _SEARCHES),
                (DETAILS, parts.enrichment.handle, _TEXTS),
            ):
                stream = Stream(life.cache, name)
                jobs.start_soon(partial(consume, stream, life.database, handle, life.stop, policy=policy))
            life.say("working", "waiting for searches")
        background.cancel_scope.cancel()


async def _look(life: Life, recovery: Recovery) -> None:
    while not life.stop.is_set():
        life.count("woken", await recovery.look())
        await life.pause(LOOK_S)
