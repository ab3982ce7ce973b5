"""The three classifications and how their codes nest.

KldB 2010  five digits: occupational area, main group, group, subgroup, then the level of requirement (1 to 4)
ISCO-08    four digits: major, sub-major, minor and unit group
SOC        O*NET-SOC 2019, as in 15-1252.00: two digits of the major group, then the occupation, then its detail
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Classification = Literal["isco", "kldb", "soc"]
CLASSIFICATIONS: tuple[Classification, ...] = ("isco", "kldb", "soc")
GROUP_CHARS = 2  # what the classifier decides first: KldB main group, ISCO sub-major group, SOC major group


@dataclass(frozen=True)
class Scheme:
    """`levels`: how many characters of a code each level takes, the last one all of them."""

    levels: tuple[int, ...]
    pattern: re.Pattern[str]


SCHEMES: dict[Classification, Scheme] = {
    "isco": Scheme((1, 4), re.compile(r"\d{4}", re.ASCII)),
    "kldb": Scheme((1, 3, 5), re.compile(r"\d{5}", re.ASCII)),
    "soc": Scheme((2, 7, 10), re.compile(r"\d\d-\d{4}\.\d\d", re.ASCII)),
}


def is_code(classification: Classification, code: str) -> bool:
    """Whether `code` has the form of a whole code of the classification."""
    return SCHEMES[classification].pattern.fullmatch(code) is not None
