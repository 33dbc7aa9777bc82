"""The servers that other tests stand on are real ones."""

import psycopg
import redis


def test_postgres_is_an_empty_database_of_its_own(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        version = connection.execute("SHOW server_version").fetchone()
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert version
    assert int(version[0].split(".")[0]) >= 15
    assert tables == (0,)


def test_redis_answers(redis_url: str) -> None:
    client = redis.Redis(unix_socket_path=redis_url.removeprefix("redis+socket://"))
    assert client.ping()
