"""Commands of Vakanz as an operator gives them: real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def vakanz(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a command did and said."""
    return subprocess.run(
        [sys.executable, "-m", "vakanz", *arguments],
        env=environment, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
