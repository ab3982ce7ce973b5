"""What one list request says of a candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["live", "empty", "gone", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """`postings`: on the first page, or what the list says of itself where it does; `reason`: why nothing is known."""

    state: State
    postings: int | None = None
    reason: str | None = None
