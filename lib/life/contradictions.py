"""Settings that make no sense, alone or beside each other."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lib.net.proxies.address import problems as proxy_problems
from lib.net.secrets import problems as key_problems

if TYPE_CHECKING:
    from lib.life.config import Config


def contradictions(config: Config) -> list[str]:
    """What is wrong with values that are of the right kind, alone or together; one line each."""
    problems = []
    for name, address in (("dsn", config.dsn), ("direct_dsn", config.direct_dsn)):
        if address and _scheme(address) not in ("postgresql", "postgres"):
            problems.append(f"{name}: a postgresql:// address is expected")
    if config.redis_url and _scheme(config.redis_url) not in ("redis", "rediss", "unix"):
        problems.append("redis_url: a redis://, rediss:// or unix:// address is expected")
    if config.blob_url and _scheme(config.blob_url) not in ("file", "s3"):
        problems.append("blob_url: a file:// or s3:// address is expected")
    if config.overpass and _scheme(config.overpass) not in ("http", "https"):
        problems.append("overpass: an http:// or https:// address is expected")
    if config.simulator and _scheme(config.simulator) != "http":
        problems.append("simulator: an http:// address is expected")
    if config.contact and "@" not in config.contact and _scheme(config.contact) not in ("http", "https"):
        problems.append("contact: a mail address or the https:// address of a page is expected")
    if config.pooled and not config.dsn:
        problems.append("pooled: there is no pooler before the embedded PostgreSQL; set dsn as well")
    if config.log_format not in ("json", "console", "auto"):
        problems.append("log_format: json, console or auto expected")
    if config.log_level not in ("debug", "info", "warning", "error"):
        problems.append("log_level: debug, info, warning or error expected")
    for network in config.allowed_networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            problems.append(f"allowed_networks: {error}")
    problems += [f"proxies: {problem}" for problem in proxy_problems(config.proxies)]
    if config.proxied_sources and not config.proxies:
        problems.append("proxied_sources: there are no proxies; set proxies as well")
    if config.proxies and not config.simulator and _scheme(config.proxy_echo) != "https":
        problems.append("proxy_echo: an https:// address is expected, or a proxy could answer in its place")
    problems += [f"source_keys: {problem}" for problem in key_problems(config.source_keys)]
    positive = (
        "host_rate", "host_concurrency", "crawl_concurrency", "detail_concurrency", "expire_days", "drain_s",
        "rate_free", "rate_paid", "rate_partner", "rate_admin", "resume_bytes", "resume_readers",
        "search_events_hours", "search_days",
    )  # fmt: skip
    problems += [f"{name}: must be above 0" for name in positive if getattr(config, name) <= 0]
    problems += _alert_problems(config)
    problems += _provider_problems(config)
    ports = {"api_port": config.api_port, "gateway_port": config.gateway_port, "metrics_port": config.metrics_port}
    problems += [f"{name}: 0 to 65535 expected" for name, port in ports.items() if not 0 <= port <= 65535]
    not_negative = ("model_threads", "detail_refresh_days", "metered_daily", "resume_keep_days", "match_cache_s")
    problems += [f"{name}: must not be below 0" for name in not_negative if getattr(config, name) < 0]
    scores = {"match_min_score": config.match_min_score, "discovery_score": config.discovery_score}
    problems += [f"{name}: 0 to 100 expected" for name, score in scores.items() if not 0 <= score <= 100]
    return problems


def _provider_problems(config: Config) -> list[str]:
    problems = [f"provider_keys: {problem}" for problem in key_problems(config.provider_keys)]
    if config.credits_monthly < 0 or config.credits_floor < 0:
        problems.append("credits_monthly, credits_floor: must not be below 0")
    if not 1 <= config.credits_in_flight <= 100:
        problems.append("credits_in_flight: 1 to 100 expected")
    if not 1 <= config.credits_burst <= 1_000_000:
        problems.append("credits_burst: 1 or more expected")
    if config.gateway_url and _scheme(config.gateway_url) not in ("http", "https"):
        problems.append("gateway_url: an http:// or https:// address is expected")
    if config.gateway_key and not re.fullmatch(r"[\x21-\x7e]{16,200}", config.gateway_key):
        problems.append("gateway_key: 16 to 200 signs without spaces are expected")
    for name, url in (("hasdata", config.hasdata_url), ("llm", config.llm_url)):
        keyed = name in config.bought_with
        if url and _scheme(url) != "https" and (keyed or _scheme(url) != "http") and not _is_here(url):
            problems.append(f"{name}_url: an https:// address is expected, or http:// without a key or to this machine")
    if config.llm_url and not config.llm_model:
        problems.append("llm_url: which model is meant? set llm_model as well")
    if not 0 < config.llm_credits <= 10_000:
        problems.append("llm_credits: more than 0 and at most 10,000 expected")
    return problems


def _is_here(url: str) -> bool:
    """Whether a plain address leads to this machine only."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False


def _alert_problems(config: Config) -> list[str]:
    problems = []
    if config.telegram_token and not re.fullmatch(r"\d{1,20}:[A-Za-z0-9_-]{1,100}", config.telegram_token):
        problems.append("telegram_token: a bot's token is expected, such as 123456:ABC...")
    if config.telegram_token and not config.telegram_chats:
        problems.append("telegram_token: there is nobody to tell; set telegram_chats as well")
    if any(not re.fullmatch(r"-?[1-9]\d{0,17}", chat) for chat in config.telegram_chats):
        problems.append("telegram_chats: the numbers of chats are expected, such as -1001234567890")
    for name in ("telegram_api", "alert_webhook"):
        address = getattr(config, name)
        if address and _scheme(address) not in ("http", "https"):
            problems.append(f"{name}: an http:// or https:// address is expected")
    if config.alert_smtp and _scheme(config.alert_smtp) not in ("smtp", "smtps"):
        problems.append("alert_smtp: an smtp:// or smtps:// address is expected")
    if any("@" not in address or any(sign.isspace() for sign in address) for address in config.alert_mail):
        problems.append("alert_mail: mail addresses are expected")
    if config.alert_mail and not config.alert_smtp:
        problems.append("alert_mail: there is nothing to send with; set alert_smtp as well")
    return problems


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:  # such as a bracket that is never closed
        return ""
