"""Every alert names a paragraph that exists."""

from __future__ import annotations

import re
from pathlib import Path

from keeper.alerts.render import RUNBOOK
from keeper.incident import Kind


def test_every_kind_of_incident_has_its_paragraph() -> None:
    text = (Path(__file__).parents[2] / RUNBOOK).read_text(encoding="utf-8")
    paragraphs = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(paragraphs) == [kind.value for kind in Kind]
    for name, paragraph in paragraphs.items():
        for part in ("Meaning", "The system", "Look", "Do"):
            assert f"**{part}.**" in paragraph, f"{name} lacks {part}"
