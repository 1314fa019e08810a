"""From a URL to an engine, and what to do when the database says no: wait and try again, or stop with a line that says how to mend it."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from workbench.errors import StoreError

T = TypeVar("T")
log = logging.getLogger("workbench.store")

FIRST_PAUSE_SEC, LONGEST_PAUSE_SEC = 0.05, 5.0
# Waiting inside SQLite is fairer than asking again, but it can't be broken off.
SQLITE_WAITS_SEC = 10.0
CONNECT_TIMEOUT_SEC = 10
# A server whose machine vanished never answers: without these, a write would wait for hours.
POSTGRES_SETTINGS = {
    "connect_timeout": CONNECT_TIMEOUT_SEC,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
GOES_ON = "what was committed is kept; run the same command again and it goes on from there"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
PASSING_STATES = ("08", "40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03", "57P05")
FULL_STATES = ("53100", "53200")
# A connection that was refused has no SQLSTATE, only the server's words.
REFUSED_FOR_GOOD = re.compile(
    r"password authentication failed|no password supplied|does not exist|no pg_hba\.conf entry|authentication failed|certificate"
    r"|does not support SSL|invalid connection option|not permitted to log in|permission denied",
    re.IGNORECASE,
)


class Raced(Exception):
    """Another writer came in between; the same transaction again sees what it wrote."""


def database_url(place: str | Path) -> sa.URL:
    """The SQLAlchemy URL of a path or a URL.

    Raises:
        StoreError: no URL, or one of a database that is not supported.
    """
    text = str(place)
    if "://" not in text:
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        expected = "postgresql://user:password@host:5432/database, or a file's path"
        raise StoreError("this is no database URL", where=without_password(text), expected=expected) from error
    dialect, _, driver = url.drivername.partition("+")
    if dialect in ("postgresql", "postgres") and driver in ("", "psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if dialect == "sqlite" and driver in ("", "pysqlite"):
        return url
    raise StoreError(
        f"no database of the kind {url.drivername!r}",
        where=without_password(text),
        expected="postgresql://... or a SQLite file",
        mend="give a PostgreSQL URL, or a path",
    )


def without_password(url: str | sa.URL) -> str:
    """A URL for messages; a SQLite database is its path."""
    if not isinstance(url, sa.URL):
        return re.sub(r"//.*@", "//***@", re.sub(r"(password=)[^&\s]*", r"\1***", url))
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    told = {name: "***" if "password" in name else value for name, value in url.query.items()}
    return url.set(drivername="postgresql", query=told).render_as_string(hide_password=True)


def make_engine(url: sa.URL, *, patience_sec: float) -> sa.Engine:
    """An engine that opens no connection yet.

    Raises:
        StoreError: the driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url)
        _prepare_sqlite(engine, min(patience_sec, SQLITE_WAITS_SEC))
        return engine
    settings = {name: value for name, value in POSTGRES_SETTINGS.items() if name not in url.query}
    try:
        return sa.create_engine(url, connect_args=settings, pool_size=2)
    except ImportError as error:
        mend = 'pip install "psycopg[binary]"'
        raise StoreError("the driver for PostgreSQL is not installed", where=without_password(url), mend=mend) from error


def _prepare_sqlite(engine: sa.Engine, waits_sec: float) -> None:
    @sa.event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late and takes no lock; ours is below.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {round(waits_sec * 1000)}")
        # Readers never wait for the writer; a commit survives the process's death.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that reads first and writes later would fail where another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


class Persistent:
    """Runs transactions against one database, again where a passing fault broke them off.

    Args:
        url: of the database.
        patience_sec: how long to go on trying.
    """

    def __init__(self, url: sa.URL, *, patience_sec: float) -> None:
        self.url, self.patience_sec, self.shown = url, patience_sec, without_password(url)
        self.engine = make_engine(url, patience_sec=patience_sec)
        self._writing = self.engine.execution_options(writes=True)

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """The value of ``work(connection)``, which may run several times and must change nothing outside the database."""
        return self._run(self.engine, work)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """As ``read``, in a transaction that writes."""
        return self._run(self._writing, work)

    def _run(self, engine: sa.Engine, work: Callable[[sa.Connection], T]) -> T:
        given_up = None
        pause_sec = FIRST_PAUSE_SEC
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except Raced:
                continue
            except sa.exc.SQLAlchemyError as error:
                now = time.monotonic()
                if not is_passing(error):
                    raise self.refusal(error) from error
                if given_up is None:
                    given_up = now + self.patience_sec
                if now >= given_up:
                    raise self.refusal(error, waited=True) from error
                if pause_sec >= 1:
                    log.warning("results database %s: %s; trying again for up to %.0f s", self.shown, self.cause(error), given_up - now)
                # Two that deadlocked must not meet again in step.
                time.sleep(min(pause_sec * random.uniform(0.5, 1.0), max(0.0, given_up - now)))
                pause_sec = min(2 * pause_sec, LONGEST_PAUSE_SEC)

    def cause(self, error: Exception) -> str:
        """The driver's own words on one line, without the password."""
        words = " ".join(str(getattr(error, "orig", None) or error).split())
        for secret in (self.url.password, *(value for name, value in self.url.query.items() if "password" in name)):
            if secret:
                words = words.replace(str(secret), "***")
        return words

    def refusal(self, error: Exception, *, waited: bool = False) -> StoreError:
        """The error for the user: what the database said and how to mend it."""
        cause = self.cause(error)
        if waited:
            return StoreError(f"results database stayed away for {self.patience_sec:.0f} s: {cause}", where=self.shown, mend=GOES_ON)
        return StoreError(f"results database refused: {cause}", where=self.shown, mend=_mend(error, cause, self.url))


def _state(error: Exception) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def is_passing(error: Exception) -> bool:
    """Whether the same transaction may succeed a little later: connection lost, server starting, deadlock, locked."""
    if not isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, sa.exc.TimeoutError)
    if state := _state(error):
        return state.startswith(PASSING_STATES)
    cause = str(error.orig)
    if type(error.orig).__module__.startswith("sqlite3"):
        return "is locked" in cause or "is busy" in cause
    return error.connection_invalidated or (isinstance(error, sa.exc.OperationalError) and not REFUSED_FOR_GOOD.search(cause))


def _mend(error: Exception, cause: str, url: sa.URL) -> str | None:
    state = _state(error)
    if state in FULL_STATES or "is full" in cause:
        return f"free disk space; {GOES_ON}"
    if state == "3D000" or re.search(r'database ".*" does not exist', cause):
        return f"create it: createdb {url.database or url.username}"
    if state == "28P01" or "password" in cause:
        return "give the right user and password in the URL, or in ~/.pgpass"
    if state == "42501" or "permission denied" in cause or "readonly" in cause:
        return "let this user write to the database"
    if "not a database" in cause:
        return "name another file for the database"
    if "unable to open" in cause:
        return "name a file in a folder that this user may write to"
    return None
