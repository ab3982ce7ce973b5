"""The encoders of one process, each loaded when it is first needed. Nothing heavy is imported before."""

from __future__ import annotations

import gc
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from lib.match.profile import UnusableProfile

if TYPE_CHECKING:
    from lib.match.encoder import Floats, TextEncoder, TitleEncoder

_QUERIES_KEPT = 100


class Encoders:
    """Loads the title table and the text network when they are first needed, and calls them beside the event loop."""

    def __init__(self, load_title: Callable[[], TitleEncoder], load_text: Callable[[], TextEncoder]) -> None:
        self._load_title, self._load_text = load_title, load_text
        self._title: TitleEncoder | None = None
        self._text: TextEncoder | None = None
        self._loading = anyio.Lock()
        self._queries: OrderedDict[bytes, Floats] = OrderedDict()

    def present(self) -> bool:
        """Whether a title table is loaded, or there to be loaded when it is first needed."""
        return self._title is not None or files("lib.match").joinpath("model", "model.json").is_file()

    async def title(self) -> TitleEncoder:
        """Raises ConfigError where its file is missing."""
        async with self._loading:
            if self._title is None:
                self._title = await anyio.to_thread.run_sync(self._load_title)
                gc.freeze()  # it stays, and to look through it takes a tenth of a second
        return self._title

    async def text(self) -> TextEncoder:
        """Raises ConfigError where there is no such model."""
        async with self._loading:
            if self._text is None:
                self._text = await anyio.to_thread.run_sync(self._load_text)
                gc.freeze()
        return self._text

    async def title_vector(self, phrases: Sequence[str]) -> Floats:
        """One unit vector for some names of a job, the first one counting most. Raises UnusableProfile."""
        encoder = await self.title()
        vectors = await anyio.to_thread.run_sync(encoder.encode, list(phrases))
        return blend(vectors)

    async def query_vector(self, text: str) -> Floats:
        """What full texts are compared with, 384 numbers. Kept for a while without the text: who goes on asks again."""
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        vector = self._queries.pop(key, None)
        if vector is None:
            encoder = await self.text()
            vector = (await anyio.to_thread.run_sync(encoder.encode_queries, [text]))[0]
        self._queries[key] = vector
        if len(self._queries) > _QUERIES_KEPT:
            self._queries.popitem(last=False)
        return vector


def blend(vectors: Floats) -> Floats:
    """Rows of unit vectors as one, each counting half of the one before. Raises UnusableProfile for zeros."""
    import numpy as np

    halves = np.array([0.5**position for position in range(len(vectors))], dtype=np.float32)
    mixed: Floats = halves @ vectors
    length = float(np.linalg.norm(mixed))
    if not length > 1e-6:
        raise UnusableProfile("the profile has no usable text: none of its words is known here")
    mixed /= length
    return mixed
