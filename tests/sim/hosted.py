"""Systems whose boards have hosts of their own, which the tenants are a part of."""

from __future__ import annotations

import re
from abc import abstractmethod

from tests.sim.wire import Asked, Call, System


class Hosted(System):
    """`hosts`: what the hosts look like; the first group is the tenant."""

    hosts: re.Pattern[str]

    def serves(self, host: str) -> bool:
        return self.hosts.fullmatch(host) is not None

    def route(self, asked: Asked) -> Call | None:
        found = self.hosts.fullmatch(asked.host)
        return self.route_of(found[1], asked) if found else None

    @abstractmethod
    def route_of(self, tenant: str, asked: Asked) -> Call | None:
        """What is asked for on a tenant's host, None where the system knows no such path."""
