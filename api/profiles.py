"""POST /profiles: what a person's text or résumé says, ready to be matched."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import anyio.to_thread
import msgspec
from aiohttp import web

from api.resumes import kept_resume
from api.room import HERMES, json_response
from lib.match.encoders import Encoders
from lib.match.profile import MAX_TEXT_CHARS
from lib.people.occupation.files import load_classifier
from lib.people.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from lib.people.occupation.guesses import Classifier
    from lib.people.paper import Section


class Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either a text, a few lines or a whole résumé, or the id of a résumé that the caller keeps."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_CHARS)] | None = None
    resume_id: uuid.UUID | None = None

    def __post_init__(self) -> None:
        if (self.text is None) == (self.resume_id is None):
            raise ValueError("either text or resume_id")


class Hermes:
    """Reads beside the event loop. `models`: where `vakanz occupations train` puts the model, which is loaded once;
    without one the seed answers."""

    def __init__(self, models: Path, encoders: Encoders) -> None:
        self._models, self._encoders = models, encoders
        self._classifier: Classifier | None = None
        self._loading = anyio.Lock()

    async def read(self, sections: Sequence[Section] | str, today: date) -> Reading:
        """Raises ConfigError where the model's file cannot be used."""
        classifier = await self._loaded()
        return await anyio.to_thread.run_sync(_read, sections, classifier, today)

    async def _loaded(self) -> Classifier:
        async with self._loading:
            if self._classifier is None:
                encoder = await self._encoders.title()
                self._classifier = await anyio.to_thread.run_sync(load_classifier, self._models, encoder)
        return self._classifier


def _read(sections: Sequence[Section] | str, classifier: Classifier, today: date) -> Reading:
    from lib.people.hermes import read, sections_of  # an idle API does not carry its tables
    from lib.text.gazetteer import load_gazetteer

    given = sections_of(sections) if isinstance(sections, str) else sections
    return read(given, classifier, load_gazetteer(), today)


async def read_profile(request: web.Request) -> web.Response:
    """POST /profiles."""
    told = msgspec.json.decode(await request.read(), type=Told)
    sections = told.text if told.resume_id is None else (await kept_resume(request, told.resume_id)).sections
    return json_response(await request.app[HERMES].read(sections or "", datetime.now(UTC).date()))
