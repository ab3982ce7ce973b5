"""What most systems have in common; a source says itself what differs."""

from __future__ import annotations

from datetime import timedelta

from lib.posting.contract import Healthy


class System:
    """Asked every six hours, of the usual health, and free to be crawled as it is."""

    title: str
    every = timedelta(hours=6)
    healthy = Healthy()
    consent: str | None = None
