"""A PostgreSQL server of the tests' own: on a free port of the loopback, in a folder that goes with it; it can be killed and started again."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

USER, PASSWORD = "workbench", "s3cret/p@ss:word"
START_SEC = 60


class PostgresMissing(RuntimeError):
    """No server can be started here; the text says why and how to mend it."""


class PostgresServer:
    """One server with an empty cluster.

    Raises:
        PostgresMissing: there are no programs of PostgreSQL, or no user who may run them.
    """

    def __init__(self) -> None:
        self._bin = programs()
        self._as_user = _not_root()
        self._numbers = itertools.count()
        self._process: subprocess.Popen | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = _free_port()
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if self._as_user:
            shutil.chown(self.folder, "postgres")
            shutil.chown(password, "postgres")
        self._run("initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(password), "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self, **settings: object) -> None:
        """Start the server, also after ``kill``, and wait until it answers; ``settings`` are PostgreSQL's."""
        told = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder} | settings
        told = {"fsync": "off", "max_connections": 40} | told
        options = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
        # What a killed server left behind would be taken for a running one when its number is used again.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            command = [*self._as_user, self._bin / "postgres", "-D", self._data, *options]
            # In a session of its own: an interrupted test run ends it by ``stop``, not by the terminal's signal.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)
        given_up = time.monotonic() + START_SEC
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > given_up:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def url(self, database: str = "postgres", *, password: str = PASSWORD) -> str:
        """The URL of a database, as a user writes it."""
        from urllib.parse import quote

        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def execute(self, sql: str, *, database: str = "postgres") -> None:
        """Run one statement outside of a transaction."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(sql)

    def kill(self) -> None:
        """SIGKILL to every process of the server, as if the power went."""
        first = psutil.Process(self._process.pid)
        # Each of its processes leads a group of its own.
        for process in [first, *first.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run([*self._as_user, self._bin / program, *options], capture_output=True, text=True, timeout=START_SEC, cwd="/", check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")


def programs() -> Path:
    """The folder with PostgreSQL's programs; Debian keeps them out of PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if not versions:
        raise PostgresMissing("PostgreSQL is not installed; to mend: bash scripts/system_packages.sh, or apt-get install postgresql")
    return versions[-1].parent


def _not_root() -> list[str]:
    """What goes before a command so that root does not run it: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise PostgresMissing("PostgreSQL does not run as root, and there is no user postgres; to mend: useradd --system postgres") from None
    if not shutil.which("setpriv"):
        raise PostgresMissing("PostgreSQL does not run as root, and there is no setpriv; to mend: apt-get install util-linux")
    # Not runuser: it would stay in between, and a signal would end it instead of the server.
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
