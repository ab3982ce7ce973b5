"""What most systems have in common; a source says itself what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta

from lib.posting.contract import Healthy
from lib.posting.links import Link, read_link


class System(ABC):
    """Asked every six hours, of the usual health, free to be crawled as it is, and known by its addresses."""

    title: str
    every = timedelta(hours=6)
    healthy = Healthy()
    consent: str | None = None

    def detect(self, url: str) -> str | None:
        link = read_link(url)
        return None if link is None else self.tenant_of(link)

    @abstractmethod
    def tenant_of(self, link: Link) -> str | None:
        """The tenant in an address of a board, a posting or the API; None for any other address."""
