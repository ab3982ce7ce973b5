"""From names of occupations to the shipped table, step by step."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from lib.match.static import StaticTable, means
from lib.match.training.pairs import PairSampler
from lib.match.training.table import LazyAdam, loss_and_gradients, thinned, token_gradients
from lib.match.training.taxonomies import Taxonomies
from lib.match.training.vocabulary import first_table, splitter_for
from lib.match.transformer import PASSAGE, QUERY, Transformer
from lib.match.weights import Weights

Floats = npt.NDArray[np.float32]

DIMENSIONS = 256
STEPS = 1500
_PAIRS_A_STEP = 512
_RATE = 0.01  # falls to zero in a straight line
_SCALE = 10.0  # of cosines; 20 was worse
_DROPPED = 0.2  # of the tokens, so that rare long pieces do not carry a title alone

_DESCRIPTIONS = 400


def train(
    taxonomies: Taxonomies, weights: Weights, seed: int, progress: Callable[[float], None], steps: int = STEPS
) -> StaticTable:
    """The table, quantised. `progress` is called with the loss after every step; `seed` decides all that is random."""
    names = taxonomies.names()
    sampler = PairSampler(taxonomies, {name: position for position, name in enumerate(names)})
    splitter = splitter_for(names, weights)
    tokens = splitter.split(names)
    adam = LazyAdam(first_table(splitter, tokens, weights, DIMENSIONS))
    rng = np.random.default_rng(seed)
    for step in range(steps):
        batch = sampler.draw(_PAIRS_A_STEP, rng)
        drawn = thinned(tokens.take(np.concatenate((batch.left, batch.right))), _DROPPED, rng)
        vectors = means(adam.table[drawn.ids], drawn)
        left, right = vectors[:_PAIRS_A_STEP], vectors[_PAIRS_A_STEP:]
        loss, *gradients = loss_and_gradients(left, right, batch.allowed, _SCALE)
        adam.step(*token_gradients(drawn, np.concatenate(gradients)), _RATE * (1 - step / steps))
        progress(loss)
    return StaticTable.quantised(splitter, adam.table)


def centres(descriptions: Sequence[str], transformer: Transformer, seed: int) -> Floats:
    """Mean vectors of a sample of texts, as passages and as queries, (2, 384)."""
    sample = random.Random(seed).sample(descriptions, min(_DESCRIPTIONS, len(descriptions)))
    return np.stack([transformer.encode(sample, prefix).mean(axis=0) for prefix in (PASSAGE, QUERY)])
