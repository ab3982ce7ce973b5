"""The keeper as a service: what `vakanz keeper run` becomes, without the libraries of the command line."""

from __future__ import annotations

import anyio

from keeper.systemd.service import serve
from lib.life import logs
from lib.life.actor import run_actor
from lib.life.config import load
from lib.life.session import with_servers


def main() -> None:
    """Keeps this host's units until SIGTERM."""
    with with_servers(load()) as config:
        unit = f"keeper@{config.host}"
        logs.configure(config.log_format, config.log_level, folder=config.log_folder, unit=unit)
        logs.tell_crashes()
        anyio.run(run_actor, unit, config, serve)


if __name__ == "__main__":
    main()
