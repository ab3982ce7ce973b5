"""Systems whose boards share hosts: the tenant is a part of the path."""

from __future__ import annotations

from urllib.parse import quote

from daemons.sources.families.system import System
from lib.posting.links import Link, Tenants


class Paths(System):
    """`board`: a board's address before its tenant, with a slash at its end; `page`: what follows the tenant.

    `places`: all addresses of boards and of the API, as hosts with what stands in the path before the tenant; of two
    that fit, the first is meant.
    """

    tenants: Tenants
    board: str
    page = ""
    places: tuple[tuple[str, tuple[str, ...]], ...]

    def tenant_of(self, link: Link) -> str | None:
        for host, path in self.places:
            if link.host == host and link.segments[: len(path)] == path:
                return self.tenants.find("".join(link.segments[len(path) : len(path) + 1]))
        return None

    def board_url(self, tenant: str) -> str:
        return f"{self.board}{self.segment(tenant)}{self.page}"

    def segment(self, tenant: str) -> str:
        """The tenant as a part of a path. Raises Refused for what cannot be one."""
        return quote(self.tenants.check(tenant), safe="")
