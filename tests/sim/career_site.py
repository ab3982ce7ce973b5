"""A company's own site: who it is of, by whose hand it is made, and which postings it has today."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.sim.companies import Company
from tests.sim.posting import Posting

MAKES = (
    "json_ld", "microdata", "plain", "documents", "sitemap_index", "paginated", "scripted", "reserved", "disallowed",
)  # fmt: skip
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@dataclass
class CompanySite:
    """One company's site. `open`, `closed`: indices of its postings today; `renamed`: those whose page has moved.

    `twins`: whether lists lead to further addresses of the same ads.
    """

    company: Company
    make: str
    open: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    renamed: set[int] = field(default_factory=set)
    twins: bool = False

    @property
    def host(self) -> str:
        """Where it is."""
        return f"www.{self.company.domain}"

    @property
    def tenant(self) -> str:
        """As the crawler calls it."""
        return f"{self.host}/karriere"

    @property
    def url(self) -> str:
        """The careers page."""
        return f"https://{self.tenant}"

    @property
    def is_forbidden(self) -> bool:
        """Whether its postings are not for robots, or not for text mining."""
        return self.make in ("reserved", "disallowed")


def url_of(site: CompanySite, posting: Posting) -> str:
    """The address of a posting's page."""
    slug = re.sub(r"[^a-z0-9]+", "-", posting.title.lower().translate(_FOLD)).strip("-")
    if site.make == "documents":
        return f"https://{site.host}/media/stellen/{slug}-{posting.number}.pdf"
    moved = "-neu" if posting.key in site.renamed else ""
    return f"https://{site.host}/karriere/stelle/{slug}-{posting.number}{moved}"
