"""Processes of one test, among all those of the machine."""

from __future__ import annotations

import os
import uuid

import psutil


class Marked:
    """Knows processes by a mark in their environment `env`, which what they start inherits."""

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex
        self.env = {"PATH": os.environ["PATH"], "KEEPER_TEST": self._mark}

    def alive(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("KEEPER_TEST") == self._mark:
                    found.append(process)
            except psutil.Error:
                continue  # ended meanwhile, a zombie, or not ours
        return found

    def check_all_ended(self) -> None:
        """Kills those that live. Raises AssertionError when there are any."""
        left = self.alive()
        for process in left:
            process.kill()
        assert left == []
