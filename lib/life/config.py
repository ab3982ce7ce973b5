"""One frozen configuration, read once from a TOML file and the environment.

`VAKANZ_CONFIG` names the file; its keys are the fields of `Config`. A variable ``VAKANZ_<FIELD>`` wins over everything
else, then ``VAKANZ_<FIELD>_FILE``, which names a file that holds the value, then a credential that systemd hands over,
a file of the field's name in `CREDENTIALS_DIRECTORY` (an empty one counts as none), then the file. Every problem is
listed at once, and no module reads the environment later.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from math import isnan
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lib.errors import ConfigError
from lib.net.proxies.address import problems as proxy_problems
from lib.net.secrets import problems as key_problems

PREFIX = "VAKANZ_"
# Not settings: where settings are (see lib.life.rereading for the last), and where tests find real payloads.
_OTHERS = frozenset({f"{PREFIX}CONFIG", f"{PREFIX}REAL_DATA", f"{PREFIX}ENVIRONMENT_FILES"})


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that an operator may set. Defaults run the embedded servers out of `home`."""

    home: Path = field(default=Path("var"), metadata={"help": "data, logs and model files of the embedded default"})
    dsn: str = field(default="", metadata={"help": "PostgreSQL; empty: the embedded one"})
    direct_dsn: str = field(
        default="", repr=False, metadata={"help": "PostgreSQL past its pooler: tells the keeper which one is away"}
    )
    pooled: bool = field(default=False, metadata={"help": "a transaction pooler (PgBouncer) stands before PostgreSQL"})
    redis_url: str = field(default="", metadata={"help": "Redis or Valkey; empty: the embedded one"})
    blob_url: str = field(default="", metadata={"help": "file:///... or s3://bucket/prefix; empty: a folder of `home`"})
    host: str = field(default_factory=socket.gethostname, metadata={"help": "this server's name in the fleet"})
    log_format: str = field(default="auto", metadata={"help": "json, console, or auto (console on a terminal)"})
    log_level: str = field(default="info", metadata={"help": "debug, info, warning or error"})
    log_folder: str = field(
        default="", metadata={"help": "folder where each daemon keeps its log as well, as UNIT.jsonl; empty: none"}
    )
    contact: str = field(
        default="", metadata={"help": "mail address or page in the user agent; needed to crawl the real web"}
    )
    host_rate: float = field(default=4.0, metadata={"help": "requests per second to one host, of all servers together"})
    host_concurrency: int = field(default=4, metadata={"help": "requests in flight to one host, likewise"})
    crawl_concurrency: int = field(default=16, metadata={"help": "boards that one crawler works on at the same time"})
    # A batch of 50 in three rounds, without a fourth one for its last two.
    detail_concurrency: int = field(default=17, metadata={"help": "details in flight per description shard"})
    allowed_networks: tuple[str, ...] = field(
        default=(), metadata={"help": "private networks that may be crawled all the same, such as 10.1.0.0/16"}
    )
    source_keys: tuple[str, ...] = field(
        default=(), repr=False, metadata={"help": "keys of sources, such as adzuna_app_id=...,adzuna_app_key=..."}
    )
    consented_sources: tuple[str, ...] = field(
        default=(), metadata={"help": "sources whose terms you have decided on (`vakanz source list` says which)"}
    )
    metered_daily: int = field(
        default=200, metadata={"help": "requests a day to each metered source, of all servers together; 0: none"}
    )
    proxied_sources: tuple[str, ...] = field(
        default=(), metadata={"help": "sources that are asked through proxies only, such as lever,personio"}
    )
    proxies: tuple[str, ...] = field(
        default=(), repr=False, metadata={"help": "http://user:password@host:port, by commas or one on each line"}
    )
    proxy_echo: str = field(
        default="", metadata={"help": "https:// address that answers with its caller's, to prove proxies by"}
    )
    overpass: str = field(
        default="", metadata={"help": "Overpass API server whose map is searched for companies; empty: no search"}
    )
    guess_slugs: bool = field(
        default=False, metadata={"help": "where a company's site shows no board, guess its tenants as a last resort"}
    )
    browser: str = field(
        default="", metadata={"help": "Chromium's program, for career pages that are empty without one; empty: none"}
    )
    simulator: str = field(default="", metadata={"help": "send every crawl request to this simulated market instead"})
    fleet: Path = field(default=Path("ansible/fleet.yml"), metadata={"help": "the map of what runs on which server"})
    api_host: str = field(default="127.0.0.1", metadata={"help": "address that the API listens on"})
    api_port: int = field(default=8080, metadata={"help": "port that the API listens on; 0: any free one"})
    expire_days: int = field(default=45, metadata={"help": "a posting not seen for so long is not served any more"})
    detail_refresh_days: int = field(default=7, metadata={"help": "a full text is fetched again no sooner than this"})
    text_model: str = field(
        default="builtin", metadata={"help": "encoder of full texts: builtin, or a sentence-transformers name"}
    )
    model_threads: int = field(default=0, metadata={"help": "threads of the text encoder; 0: one per core"})
    metrics_port: int = field(
        default=0, metadata={"help": "port of one daemon's own Prometheus figures, on api_host; 0: none"}
    )
    telegram_token: str = field(default="", repr=False, metadata={"help": "the bot that tells alerts; empty: none"})
    telegram_chats: tuple[str, ...] = field(
        default=(), metadata={"help": "ids of the chats that are told and may command, such as -1001234567890"}
    )
    telegram_api: str = field(default="https://api.telegram.org", metadata={"help": "server of the Bot API"})
    alert_webhook: str = field(
        default="", repr=False, metadata={"help": "address that alerts are posted to as JSON while Telegram is away"}
    )
    alert_mail: tuple[str, ...] = field(
        default=(), metadata={"help": "mail addresses that are told while Telegram is away"}
    )
    alert_smtp: str = field(
        default="", repr=False, metadata={"help": "smtp://user:password@host:587 or smtps://..., for alert_mail"}
    )
    drain_s: float = field(default=20.0, metadata={"help": "time for the batch in hand after a request to stop"})

    @property
    def blobs(self) -> str:
        """Where blobs are kept, as a URL."""
        return self.blob_url or (self.home.resolve() / "blobs").as_uri()

    @property
    def models(self) -> Path:
        """Where converted model files are kept."""
        return self.home.resolve() / "models"

    @property
    def keys(self) -> dict[str, str]:
        """The sources' keys by name."""
        pairs = (entry.partition("=") for entry in self.source_keys)
        return {name: value for name, _, value in pairs}

    @property
    def echo(self) -> str:
        """The address that tells a caller its own; a simulated market has one."""
        return self.proxy_echo or (f"{self.simulator.rstrip('/')}/_sim/echo" if self.simulator else "")

    def environment(self) -> dict[str, str]:
        """The variables that give a child process this same configuration."""
        return {f"{PREFIX}{one.name.upper()}": _spell(getattr(self, one.name)) for one in fields(self)}


def load(environment: Mapping[str, str] | None = None) -> Config:
    """Reads file and environment. Raises ConfigError with every problem."""
    environment = os.environ if environment is None else environment
    problems: list[str] = []
    raw = _from_file(environment, problems) | _from_credentials(environment, problems)
    raw |= _from_environment(environment, problems)
    known = {one.name: one for one in fields(Config)}
    values: dict[str, Any] = {}
    for name, given in raw.items():
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            problems.append(f"{name}: no such setting" + (f"; is {nearest[0]} meant?" if nearest else ""))
            continue
        try:
            values[name] = _READERS[str(known[name].type)](given)
        except (ValueError, TypeError, RuntimeError) as error:  # the last: no such user's home folder
            problems.append(f"{name}: {error}")
    config = Config(**values)
    problems += _contradictions(config)
    if problems:
        raise ConfigError(problems)
    return config


def _from_file(environment: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    path = environment.get(f"{PREFIX}CONFIG")
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{PREFIX}CONFIG={path}: {error}")
        return {}


def _from_credentials(environment: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    """Those of systemd's credentials that are settings; the folder may hold others' as well."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    given: dict[str, str] = {}
    for one in fields(Config) if folder else ():
        path = Path(str(folder), one.name)
        try:
            given[one.name] = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, ValueError) as error:  # the last: a path with a NUL
            problems.append(f"credential {path}: {error}")
    return {name: value for name, value in given.items() if value}


def _from_environment(environment: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    from_files: dict[str, str] = {}
    found: dict[str, str] = {}
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or variable in _OTHERS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if not name.endswith("_file"):
            found[name] = value
            continue
        try:
            from_files[name.removesuffix("_file")] = Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{variable}: {error}")
    return from_files | found


def _contradictions(config: Config) -> list[str]:
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
    positive = ("host_rate", "host_concurrency", "crawl_concurrency", "detail_concurrency", "expire_days", "drain_s")
    problems += [f"{name}: must be above 0" for name in positive if getattr(config, name) <= 0]
    problems += _alert_problems(config)
    ports = {"api_port": config.api_port, "metrics_port": config.metrics_port}
    problems += [f"{name}: 0 to 65535 expected" for name, port in ports.items() if not 0 <= port <= 65535]
    if config.model_threads < 0 or config.detail_refresh_days < 0 or config.metered_daily < 0:
        problems.append("model_threads, detail_refresh_days, metered_daily: must not be below 0")
    return problems


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


def _boolean(given: Any) -> bool:
    spelt = str(given).strip().lower()
    if spelt in ("1", "true", "yes", "on"):
        return True
    if spelt in ("0", "false", "no", "off", ""):
        return False
    raise ValueError(f"true or false expected, not {given!r}")


def _whole(given: Any) -> int:
    try:
        return int(str(given))
    except ValueError:
        raise ValueError(f"a whole number expected, not {given!r}") from None


def _number(given: Any) -> float:
    with suppress(ValueError):
        number = float(str(given))
        if not isnan(number):
            return number
    raise ValueError(f"a number expected, not {given!r}")


def _strings(given: Any) -> tuple[str, ...]:
    if isinstance(given, list):
        return tuple(str(one) for one in given)
    return tuple(part.strip() for part in str(given).replace("\n", ",").split(",") if part.strip())


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"text expected, not {given!r}")
    if "\x00" in given:
        raise ValueError("holds a NUL character")
    return given


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "Path": lambda given: Path(_text(given)).expanduser(),
    "str": _text,
    "bool": _boolean,
    "int": _whole,
    "float": _number,
    "tuple[str, ...]": _strings,
}


def _spell(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.resolve() if isinstance(value, Path) else value)
