"""Systems whose boards live under the vendor's domain or on a host of the customer's own.

A tenant without a dot is a name under the vendor's usual domain ("acme"), one with a dot is the whole host
("karriere.acme.de", "acme.other-domain-of-the-vendor.de").
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from daemons.sources.families.subdomains import Subdomains
from daemons.sources.families.system import System
from lib.errors import Refused
from lib.posting.links import Link

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(_LABEL, re.ASCII)
# The last label has a letter first: "127.0.0.1" is no host of a customer.
_HOST = re.compile(rf"(?=.{{4,200}}\Z)(?:{_LABEL}\.){{1,6}}[a-z][a-z0-9-]{{0,61}}[a-z0-9]", re.ASCII)


@dataclass(frozen=True)
class OwnHosts:
    """Where the boards of one system are. `usual`: what follows a name in its host, such as "-portal.vendor.de";
    `others`: further domains of the vendor; `reserved`: names that are no boards."""

    system: str
    usual: str
    others: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset({"www", "api", "app", "static", "cdn", "help"})

    def host(self, tenant: str) -> str:
        """The board's host. Raises Refused for what cannot be a tenant."""
        host = tenant if "." in tenant else f"{tenant}{self.usual}"
        if self.tenant(host) != tenant and self.own(host) != tenant:
            raise Refused(f"{tenant[:80]!r} cannot be a tenant of {self.system}")
        return host

    def tenant(self, host: str) -> str | None:
        """The tenant behind a host of the vendor's, None for any other host."""
        name = host.removesuffix(self.usual)
        if name != host and _NAME.fullmatch(name):
            return None if name in self.reserved else name
        other = any(host.endswith(f".{domain}") for domain in self.others)
        return host if other and _HOST.fullmatch(host) and host.partition(".")[0] not in self.reserved else None

    def own(self, host: str) -> str | None:
        """The tenant behind a host that is known to be a customer's board; None for one of the vendor's."""
        domain = self.usual[self.usual.index(".") + 1 :]
        return customers(host, (domain, *self.others))


def customers(host: str, vendor: Iterable[str]) -> str | None:
    """`host` where it may be a customer's: a host, and none below the vendor's domains."""
    below = any(host == one or host.endswith(f".{one}") for one in vendor)
    return host if _HOST.fullmatch(host) and not below else None


class Portals(System):
    """`hosts`: where the boards are; `page`: the path of their lists."""

    hosts: OwnHosts
    page = ""

    def tenant_of(self, link: Link) -> str | None:
        return self.hosts.tenant(link.host) or (self.hosts.own(link.host) if self.is_own(link) else None)

    @abstractmethod
    def is_own(self, link: Link) -> bool:
        """Whether an address on any other host shows by itself that a customer has a board of this system there."""

    def board_url(self, tenant: str) -> str:
        return f"https://{self.hosts.host(tenant)}{self.page}"


class Branded(Subdomains):
    """Systems at {tenant}.vendor.tld that serve boards on hosts of their customers too. What is no name under the
    vendor's domain is such a host. Their addresses do not show whose they are; their pages do."""

    def host(self, tenant: str) -> str:
        return self.own(tenant) or super().host(tenant)

    def own(self, host: str) -> str | None:
        """The tenant that a customer's host is, None for other texts and for what is a name under the vendor's."""
        if self._tenants.find(host) is not None:
            return None
        return customers(host, (ending.lstrip(".") for ending in (self.ending, *self.endings)))
