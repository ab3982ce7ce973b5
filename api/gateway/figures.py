"""What the gateway shows to Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

calls = Counter("vakanz_gateway_calls_total", "Calls of paid providers", ["provider", "operation", "outcome"])
credits_paid = Counter("vakanz_gateway_credits_total", "Credits that calls cost", ["provider", "operation"])
call_seconds = Histogram(
    "vakanz_gateway_call_seconds",
    "Time of one call of a paid provider",
    ["provider"],
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
in_flight = Gauge("vakanz_gateway_in_flight", "Calls that a provider is answering now", ["provider"])
resting = Gauge("vakanz_gateway_resting", "1 while a provider's breaker is open", ["provider"])


def called(provider: str, operation: str, outcome: str, paid: int, took_s: float) -> None:
    """One call ended."""
    calls.labels(provider, operation, outcome).inc()
    credits_paid.labels(provider, operation).inc(paid)
    call_seconds.labels(provider).observe(took_s)
    if outcome in ("ok", "resting"):
        resting.labels(provider).set(outcome == "resting")
