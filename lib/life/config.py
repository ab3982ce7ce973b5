"""One frozen configuration, read once from a TOML file and the environment.

`VAKANZ_CONFIG` names the file; its keys are the fields of `Config`. A variable ``VAKANZ_<FIELD>`` wins over everything
else, then ``VAKANZ_<FIELD>_FILE``, which names a file that holds the value, then a credential that systemd hands over,
a file of the field's name in `CREDENTIALS_DIRECTORY` (an empty one counts as none), then the file. Every problem is
listed at once, and no module reads the environment later.
"""

from __future__ import annotations

import os
import socket
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from math import isnan
from pathlib import Path
from typing import Any

from lib.errors import ConfigError
from lib.life.contradictions import contradictions

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
    rate_free: int = field(default=120, metadata={"help": "requests a minute of one key or person of the tier free"})
    rate_paid: int = field(default=600, metadata={"help": "likewise of the tier paid"})
    rate_partner: int = field(default=6_000, metadata={"help": "likewise of the tier partner"})
    rate_admin: int = field(default=6_000, metadata={"help": "likewise of the tier admin"})
    match_min_score: float = field(default=40.0, metadata={"help": "least score, of 100, of a match that is shown"})
    match_cache_s: int = field(default=300, metadata={"help": "seconds for which a profile's matches are kept; 0: not"})
    discovery_score: float = field(
        default=60.0, metadata={"help": "live search is for profiles whose best match scores less, and which"}
    )
    discovery_found: int = field(default=100, metadata={"help": "have fewer matches than this"})
    discovery_listings: int = field(
        default=4, metadata={"help": "listings of 5 credits that one live search may buy at most"}
    )
    discovery_details: int = field(
        default=100, metadata={"help": "full texts of 1 credit, or 2, that one live search may buy at most"}
    )
    search_events_hours: int = field(
        default=24, metadata={"help": "what searches told while they ran is forgotten after so many hours"}
    )
    search_days: int = field(default=90, metadata={"help": "searches themselves are forgotten after so many days"})
    expire_days: int = field(default=45, metadata={"help": "a posting not seen for so long is not served any more"})
    detail_refresh_days: int = field(default=7, metadata={"help": "a full text is fetched again no sooner than this"})
    text_model: str = field(
        default="builtin", metadata={"help": "encoder of full texts: builtin, or a sentence-transformers name"}
    )
    model_threads: int = field(
        default=0, metadata={"help": "threads of the text encoder; 0: one per core, but one in the API"}
    )
    resume_bytes: int = field(default=10_000_000, metadata={"help": "size of the largest résumé that is read"})
    resume_readers: int = field(default=2, metadata={"help": "résumés that one API process reads at the same time"})
    resume_keep_days: int = field(
        default=90, metadata={"help": "days that a résumé may be kept at most, for who asks for it; 0: none is kept"}
    )
    gateway_host: str = field(default="127.0.0.1", metadata={"help": "address that the gateway listens on"})
    gateway_port: int = field(default=8090, metadata={"help": "port that the gateway listens on; 0: any free one"})
    gateway_url: str = field(
        default="", metadata={"help": "where the gateway to paid providers is; empty: nothing is ever bought"}
    )
    gateway_key: str = field(
        default="", repr=False, metadata={"help": "what callers of the gateway prove themselves by; 16 signs or more"}
    )
    credits_monthly: int = field(default=200_000, metadata={"help": "credits that paid providers may cost a month"})
    credits_in_flight: int = field(
        default=15, metadata={"help": "calls of one paid provider at once, of all gateways together"}
    )
    credits_floor: int = field(
        default=100, metadata={"help": "credits that an account may use a day, however many accounts there are"}
    )
    credits_burst: float = field(
        default=4.0, metadata={"help": "how many times an equal part of the credits one account may use"}
    )
    provider_keys: tuple[str, ...] = field(
        default=(), repr=False, metadata={"help": "keys of paid providers, hasdata=...,llm=...; for the gateway only"}
    )
    hasdata_url: str = field(default="https://api.hasdata.com", metadata={"help": "server of HasData's API"})
    llm_url: str = field(
        default="", metadata={"help": "OpenAI-compatible server, such as https://api.openai.com/v1; empty: none"}
    )
    llm_model: str = field(default="", metadata={"help": "the model that is asked for there"})
    llm_credits: float = field(default=1.0, metadata={"help": "credits that 1,000 tokens of it count for"})
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
    def bought_with(self) -> dict[str, str]:
        """The paid providers' keys by name."""
        pairs = (entry.partition("=") for entry in self.provider_keys)
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
    problems += contradictions(config)
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
