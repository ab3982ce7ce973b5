"""One classification's linear classifier: first the group, then the code within the group.

Each group and each code is one output, with a weight per column and a bias. Weights are int8 with one scale per output;
small ones are left out, the rest stands column by column. Scores become probabilities by two temperatures, one for the
choice of the group and one for the choice within it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lib.people.occupation.codes import GROUP_CHARS
from lib.people.occupation.features import BUCKETS, Row

Floats = npt.NDArray[np.float32]
Chances = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[np.generic]]
ARRAYS = ("starts", "outputs", "weights", "scales", "biases", "temperatures")


@dataclass(frozen=True)
class Head:
    """`codes`, sorted; the outputs are their groups in order, then the codes. Column c owns
    `outputs[starts[c]:starts[c + 1]]` and the `weights` beside them; `temperatures`: of groups and of codes."""

    codes: Sequence[str]
    starts: npt.NDArray[np.int32]
    outputs: npt.NDArray[np.uint16]
    weights: npt.NDArray[np.int8]
    scales: Floats
    biases: Floats
    temperatures: Floats

    @classmethod
    def of(cls, codes: Sequence[str], arrays: Arrays) -> Head:
        """Raises ValueError where the arrays do not fit each other."""
        parts = {name: arrays[name] for name in ARRAYS}
        outputs = len(codes) + len(groups_of(codes))
        count = int(parts["starts"][-1]) if len(parts["starts"]) else -1
        fits = (
            parts["starts"].shape == (BUCKETS + 1,)
            and parts["outputs"].shape == parts["weights"].shape == (count,)
            and parts["scales"].shape == parts["biases"].shape == (outputs,)
            and parts["temperatures"].shape == (2,)
        )
        if not fits:
            raise ValueError(f"weights for {outputs} outputs have other shapes")
        return cls(codes, **parts)  # type: ignore[arg-type]

    def arrays(self) -> Arrays:
        """What `of` takes."""
        return {name: getattr(self, name) for name in ARRAYS}

    @cached_property
    def groups(self) -> Sequence[tuple[int, int]]:
        """[first, last) of each group's codes."""
        return spans(self.codes)

    def scores(self, row: Row) -> Chances:
        """(outputs,) for one sparse row, without the biases: the scores of two rows add up."""
        columns, values = row
        starts, ends = self.starts[columns].astype(np.int64), self.starts[columns + 1].astype(np.int64)
        lengths = ends - starts
        at = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        weights = self.weights[at] * np.repeat(values, lengths)
        sums = np.bincount(self.outputs[at], weights, minlength=len(self.biases))
        return np.asarray(sums * self.scales, dtype=np.float64)

    def chances(self, scores: Chances) -> Chances:
        """The probability of each code, (codes,), summing to one."""
        scores = scores + self.biases
        of_group = softmax(scores[: len(self.groups)] * self.temperatures[0])
        within = scores[len(self.groups) :] * self.temperatures[1]
        chances = np.empty(len(self.codes))
        for chance, (first, last) in zip(of_group, self.groups, strict=True):
            chances[first:last] = chance * softmax(within[first:last])
        return chances


def groups_of(codes: Sequence[str]) -> Sequence[str]:
    """The groups of sorted codes, in their order."""
    return list(dict.fromkeys(code[:GROUP_CHARS] for code in codes))


def spans(codes: Sequence[str]) -> list[tuple[int, int]]:
    """[first, last) of each group among sorted codes."""
    starts = [at for at, code in enumerate(codes) if at == 0 or code[:GROUP_CHARS] != codes[at - 1][:GROUP_CHARS]]
    return list(zip(starts, [*starts[1:], len(codes)], strict=True))


def softmax(scores: Chances) -> Chances:
    """Probabilities of one vector of scores."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())
