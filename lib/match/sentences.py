"""Any sentence-transformers model by name, for who has one that suits better (`pip install 'vakanz[torch]'`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.errors import ConfigError

DIMENSIONS = 384  # of the column posting_vector.full_text
Floats = npt.NDArray[np.float32]


class SentenceEncoder:
    """The model's own prompts for queries and documents, where it has some; unit norm; no centring."""

    def __init__(self, name: str, cache_dir: Path, threads: int) -> None:
        try:
            import torch  # type: ignore[import-not-found, unused-ignore]
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            problem = f"the text model {name!r} needs sentence-transformers: pip install 'vakanz[torch]' (a CPU build "
            raise ConfigError([problem + "of torch first), or choose the model 'builtin'"]) from error
        if threads:
            torch.set_num_threads(threads)
        try:
            self._model: Any = SentenceTransformer(name, cache_folder=str(cache_dir), device="cpu")
        except (OSError, ValueError) as error:
            raise ConfigError([f"the text model {name!r} cannot be loaded: {error}".splitlines()[0]]) from error
        dimensions = self._model.get_sentence_embedding_dimension()
        if dimensions != DIMENSIONS:
            raise ConfigError([f"the text model {name!r} has {dimensions} dimensions, the tables hold {DIMENSIONS}"])
        self._turn = threading.Lock()

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """float32 (n, 384)."""
        with self._turn:
            vectors = self._model.encode_document(_readable(texts), normalize_embeddings=True)
        return np.asarray(vectors, dtype=np.float32)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """As `encode_passages`, with the prompt for queries."""
        with self._turn:
            vectors = self._model.encode_query(_readable(texts), normalize_embeddings=True)
        return np.asarray(vectors, dtype=np.float32)


def _readable(texts: Sequence[str]) -> list[str]:
    """Without lone surrogates."""
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
