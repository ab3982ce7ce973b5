"""Prometheus figures that more than one room writes. Names are stable: dashboards and alerts read them."""

from __future__ import annotations

import ipaddress

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

fetches = Counter("vakanz_fetches_total", "Requests to sources", ["host", "outcome"])
fetch_seconds = Histogram("vakanz_fetch_seconds", "Time of one request to a source", ["outcome"])
fetched_bytes = Counter("vakanz_fetched_bytes_total", "Decompressed bytes from sources", ["host"])
crawled = Counter("vakanz_crawled_postings_total", "Rows of crawled lists", ["source", "what"])
followed = Counter("vakanz_followed_rows_total", "Changes that followers worked through", ["follower"])
batch_seconds = Histogram("vakanz_batch_seconds", "Time of one follower batch", ["follower"])
matches = Histogram(
    "vakanz_match_seconds", "Time of one match", buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
)
requests = Counter("vakanz_requests_total", "Requests to the API", ["path", "status"])
request_seconds = Histogram("vakanz_request_seconds", "Time of one request to the API", ["path"])


class FetchMetrics:
    """Counts what the HTTP client did; hosts beyond the first 1,000 share one label, so that memory is bounded."""

    def __init__(self) -> None:
        self._hosts: set[str] = set()

    def on_request(self, host: str, outcome: str, seconds: float, size: int) -> None:
        """One request ended. `outcome`: ok or the error's class name; `size` in bytes."""
        if host not in self._hosts:
            if len(self._hosts) >= 1_000:
                host = "other"
            else:
                self._hosts.add(host)
        fetches.labels(host, outcome).inc()
        fetch_seconds.labels(outcome).observe(seconds)
        fetched_bytes.labels(host).inc(size)


def address(host: str, listens_on: str, port: int) -> str:
    """Where figures are found that `host` shows on `port` of the address that it listens on."""
    try:
        listening = ipaddress.ip_address(listens_on)
    except ValueError:  # a name
        return f"{listens_on}:{port}"
    if listening.is_unspecified:
        return f"{host}:{port}"
    return f"[{listening}]:{port}" if listening.version == 6 else f"{listening}:{port}"


def exposition(registry: CollectorRegistry = REGISTRY) -> bytes:
    """All figures in Prometheus' text format."""
    return generate_latest(registry)
