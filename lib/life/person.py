"""Who gives a command, as it is written down beside what was done."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping


def person(environment: Mapping[str, str]) -> str:
    """The person at the keyboard, as far as the system knows: where sudo stands between, whoever called it."""
    try:
        return environment.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in containers
        return f"user {os.getuid()}"
