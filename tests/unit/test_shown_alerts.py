"""What a person who waits for `make up` is told of daemons that keep failing and servers that are away."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from keeper.incident import Incident, Kind
from keeper.local.progress import ShownAlerts


def test_an_incident_is_shown_when_it_begins_and_when_it_is_over() -> None:
    shown = StringIO()
    alerts = ShownAlerts(Console(file=shown, soft_wrap=True), Path("var/log"))
    title = "fulltext@0-7 keeps failing [it is restarted]"
    incident = Incident(key="flapping: fulltext@0-7", kind=Kind.FLAPPING, title=title, since=0.0)
    for _ in range(3):
        alerts.report([incident])
    alerts.report([])
    assert shown.getvalue().splitlines() == [
        "fulltext@0-7 keeps failing [it is restarted]; logs are in var/log",
        "over: fulltext@0-7 keeps failing [it is restarted]",
    ]
