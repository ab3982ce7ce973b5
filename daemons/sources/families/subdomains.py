"""Systems whose boards are at {tenant}.vendor.tld."""

from __future__ import annotations

import re
from functools import cached_property

from daemons.sources.families.system import System
from lib.net.messages import Response
from lib.posting.links import Link, Tenants, check_hosted

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NO_TENANTS = frozenset({"www", "api", "app", "assets", "cdn", "static"})


class Subdomains(System):
    """`ending`: what follows a tenant in its host, such as ".vendor.tld"; `endings`: what followed it before, or
    elsewhere; `reserved`: names under it that are nobody's board, beside the usual ones; `page`: the board's path."""

    ending: str
    endings: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset()
    form = _NAME
    page = ""

    def tenant_of(self, link: Link) -> str | None:
        for ending in (self.ending, *self.endings):
            if link.host.endswith(ending):
                return self._tenants.find(link.host.removesuffix(ending))
        return None

    def board_url(self, tenant: str) -> str:
        return f"https://{self.host(tenant)}{self.page}"

    def host(self, tenant: str) -> str:
        """The board's host. Raises Refused for what cannot be a tenant."""
        return f"{self._tenants.check(tenant)}{self.ending}"

    def check_hosted(self, response: Response) -> None:
        """Raises Gone when the vendor's own site answered: it is where unknown tenants lead."""
        check_hosted(response.url, self.ending.lstrip("."))

    @cached_property
    def _tenants(self) -> Tenants:
        return Tenants(self.title, self.form, _NO_TENANTS | self.reserved)
