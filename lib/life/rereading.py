"""Reading the settings of a running daemon again (`systemctl reload`), and which of them it can take.

systemd gives a process its environment once. So a unit names the files of it in `VAKANZ_ENVIRONMENT_FILES`, separated
by spaces, and they are read again here; files that `VAKANZ_CONFIG` and `VAKANZ_<FIELD>_FILE` name are as well.
Credentials are handed over at the start only.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from lib.errors import ConfigError
from lib.life.config import PREFIX, Config, load

FILES = f"{PREFIX}ENVIRONMENT_FILES"
# What only the work itself uses, which takes it up in its next turn; everything else is built into the process.
REREAD = frozenset(
    {
        "log_level", "contact", "host_rate", "host_concurrency", "crawl_concurrency", "detail_concurrency",
        "allowed_networks", "source_keys", "consented_sources", "metered_daily", "proxies", "proxy_echo", "overpass",
        "guess_slugs", "browser", "detail_refresh_days", "drain_s",
    }
)  # fmt: skip
_FILLED_IN = frozenset({"dsn", "redis_url"})  # by the embedded servers, where nothing else is said


class Settings:
    """Where the settings of this process come from. `environment`: the one that it was started with."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._files = [Path(name) for name in environment.get(FILES, "").split()]
        try:
            from_files = self._read_files()
        except ConfigError:  # told when they are read again
            from_files = {}
        self._lasting = {name: value for name, value in environment.items() if name not in from_files}

    def read(self) -> Config:
        """The configuration as it would be after a restart, but for credentials. Raises ConfigError."""
        return load(self._lasting | self._read_files())

    def _read_files(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in self._files:
            try:
                found |= read_environment(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise ConfigError([f"{FILES}: {path}: {error}"]) from error
        return found


def read_environment(text: str) -> dict[str, str]:
    """What a file of systemd.exec(5)'s EnvironmentFile says, a variable on each line. Raises ValueError."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not equals or line.lstrip().startswith(("#", ";")):
            continue
        value = value.strip()
        found[name.strip()] = "".join(shlex.split(value)[:1]) if value[:1] in ("'", '"') else value
    return found


@dataclass(frozen=True)
class Taken:
    """A configuration with what could be taken of a newer one: names of what was, and of what waits for a restart."""

    config: Config
    taken: tuple[str, ...]
    waiting: tuple[str, ...]


def take(now: Config, again: Config) -> Taken:
    """What a daemon that runs with `now` makes of `again`."""
    names = [one.name for one in fields(Config)]
    changed = [name for name in names if getattr(now, name) != getattr(again, name)]
    changed = [name for name in changed if getattr(again, name) or name not in _FILLED_IN]
    taken = tuple(name for name in changed if name in REREAD)
    config = replace(now, **{name: getattr(again, name) for name in taken})
    return Taken(config, taken, tuple(name for name in changed if name not in REREAD))
