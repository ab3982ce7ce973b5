"""What turns titles and texts into vectors, and how to get one. Nothing heavy is imported before a loader is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

BUILTIN = "builtin"


class TitleEncoder(Protocol):
    """Stage one: cheap enough for every title there is."""

    def encode(self, titles: Sequence[str]) -> Floats:
        """float32 (n, 256) of unit norm, zeros for a title that names nothing. Titles are cleaned first."""


class TextEncoder(Protocol):
    """Stage two: full texts, a hundred times dearer. Passages are postings, queries are profiles."""

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """float32 (n, 384), unit norm."""

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """As `encode_passages`, for what is searched with."""


def load_title_encoder() -> TitleEncoder:
    """The static table that travels with Vakanz; some 50 MB of memory, 0.2 s. Raises ConfigError."""
    from lib.match.static import StaticTable

    return StaticTable.load()


def load_text_encoder(name: str, cache_dir: Path, threads: int) -> TextEncoder:
    """`builtin`: multilingual-e5-small on OpenVINO; its graph is kept in `cache_dir`. Any other `name` is a
    sentence-transformers model of 384 dimensions, by hub name or folder. `threads`: how many one inference may use, 0
    for one per core.

    Raises ConfigError where the model, its package or the folder is not there.
    """
    if name == BUILTIN:
        from lib.match.transformer import E5Encoder

        return E5Encoder(cache_dir, threads)
    from lib.match.sentences import SentenceEncoder

    return SentenceEncoder(name, cache_dir, threads)
