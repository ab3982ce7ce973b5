"""Whether this machine can boot hosts at all."""

from __future__ import annotations

import os
import shutil
import subprocess

TOOLS = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "ssh": "openssh-client",
    "ip": "iproute2",
    "unshare": "util-linux",
}
_TRIAL = ("unshare", "--mount", "--net", "--pid", "--fork", "ip", "link", "add", "trial", "type", "bridge")


def obstacles() -> list[str]:
    """Why it cannot; nothing where it can."""
    if os.geteuid() != 0:
        return ["hosts are booted by root only"]
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if missing:
        return [f"packages are missing: apt install {' '.join(missing)}"]
    trial = subprocess.run(_TRIAL, capture_output=True, text=True, check=False, timeout=30)
    return [f"the kernel lets us make no hosts of our own: {trial.stderr.strip()}"] if trial.returncode else []
