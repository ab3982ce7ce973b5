"""The gradient: cosines of mean vectors, symmetric multiple-negatives ranking, Adam on touched rows only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lib.match.static import Tokens

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

_MASKED = np.float32(-1e9)


def loss_and_gradients(
    left: Floats, right: Floats, allowed: npt.NDArray[np.bool_], scale: float
) -> tuple[float, Floats, Floats]:
    """Symmetric multiple-negatives ranking over cosines: row i of `right` is the answer to row i of `left`.

    `allowed[i, j]` says whether j is a true negative of i; the diagonal must be True. Returns the mean loss and the
    gradients with respect to `left` and `right` (n, dimensions).
    """
    size = len(left)
    left_norm, right_norm = _norms(left), _norms(right)
    left_unit, right_unit = left / left_norm, right / right_norm
    logits = np.where(allowed, scale * (left_unit @ right_unit.T), _MASKED)
    by_row, by_column = _softmax(logits), _softmax(logits.T).T
    diagonal = np.arange(size)
    loss = -0.5 * float(np.mean(np.log(by_row[diagonal, diagonal]) + np.log(by_column[diagonal, diagonal])))
    slope = by_row + by_column
    slope[diagonal, diagonal] -= 2.0
    slope *= np.float32(scale / (2 * size))
    return (
        loss,
        _through_norm(slope @ right_unit, left_unit, left_norm),
        _through_norm(slope.T @ left_unit, right_unit, right_norm),
    )


def _norms(vectors: Floats) -> Floats:
    return np.asarray(np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _softmax(logits: Floats) -> Floats:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(np.maximum(exponents / exponents.sum(axis=1, keepdims=True), np.float32(1e-30)), np.float32)


def _through_norm(gradient: Floats, unit: Floats, norm: Floats) -> Floats:
    along = np.sum(gradient * unit, axis=1, keepdims=True)
    return np.asarray((gradient - unit * along) / norm, dtype=np.float32)


def thinned(tokens: Tokens, dropped: float, rng: np.random.Generator) -> Tokens:
    """Without a share `dropped` of the tokens, at random; each title keeps at least one."""
    lengths = np.diff(tokens.starts)
    kept = rng.random(len(tokens.ids)) >= dropped
    kept[tokens.starts[:-1] + (rng.random(len(lengths)) * lengths).astype(np.int64)] = True
    remaining = np.add.reduceat(kept.astype(np.int64), tokens.starts[:-1])
    return Tokens(tokens.ids[kept], np.concatenate(([0], np.cumsum(remaining))))


def token_gradients(tokens: Tokens, gradients: Floats) -> tuple[Ids, Floats]:
    """(distinct token ids, sum of their gradients): each token gets its title's gradient over the title's length."""
    lengths = np.diff(tokens.starts)
    spread = np.repeat(gradients / lengths[:, None], lengths, axis=0)
    order = np.argsort(tokens.ids, kind="stable")
    distinct, first = np.unique(tokens.ids[order], return_index=True)
    return distinct, np.add.reduceat(spread[order], first, axis=0)


class LazyAdam:
    """Adam whose moments live and decay only for the rows that a step touches."""

    def __init__(self, table: Floats, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.table = table
        self._first = np.zeros_like(table)
        self._second = np.zeros_like(table)
        self._betas = np.float32(beta1), np.float32(beta2)
        self._epsilon = np.float32(epsilon)
        self._steps = 0

    def step(self, rows: Ids, gradients: Floats, rate: float) -> None:
        """Moves `rows` (distinct) of the table against `gradients` with learning rate `rate`."""
        self._steps += 1
        beta1, beta2 = self._betas
        first = beta1 * self._first[rows] + (1 - beta1) * gradients
        second = beta2 * self._second[rows] + (1 - beta2) * gradients**2
        self._first[rows], self._second[rows] = first, second
        unbiased = np.sqrt(second / (1 - beta2**self._steps)) + self._epsilon
        self.table[rows] -= np.float32(rate) / (1 - beta1**self._steps) * first / unbiased
