"""How much each weight of the score matters: halved and doubled, on labelled résumés and jobs."""

from __future__ import annotations

from collections.abc import Sequence

from lib.match.ablation import Cell, compared
from lib.match.applicants import both_ways, scores
from lib.match.quality import Benchmark
from lib.match.rank import WEIGHTS, Scored

_FACTORS = (0.5, 2.0)


def tuned(stage: Sequence[Sequence[Scored]], benchmark: Benchmark) -> dict[str, dict[str, Cell]]:
    """Weight and factor -> measure -> how it moves. The first row has the weights as they are.

    Weights whose feature no pair has anything about are left out.
    """
    told = {name for scored in stage for one in scored for name in one.fits}
    changes = {"as they are": WEIGHTS} | {
        f"{name} x {factor:g}": {**WEIGHTS, name: factor * weight}
        for name, weight in WEIGHTS.items()
        if name in told
        for factor in _FACTORS
    }
    first_jobs, first_resumes = both_ways(scores(stage), benchmark)
    moved = {}
    for name, weights in changes.items():
        for_jobs, for_resumes = both_ways(scores(stage, weights), benchmark)
        moved[name] = {
            "nDCG@10": compared(for_jobs[:, 2], first_jobs[:, 2]),
            "right job (MRR)": compared(for_resumes[:, 1], first_resumes[:, 1]),
        }
    return moved
