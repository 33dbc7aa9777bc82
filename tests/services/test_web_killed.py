"""kill -9 of the web server under load: every submission it acknowledged is stored, and nothing is stored twice."""

import http.client
import json
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.services.conftest import Migrated, Start
from tests.services.processes import answers, environment, free_port, manage

REVIEWERS = 8
SETUP = """
import json
from knox.models import AuthToken
from tests.crowd import crowd, plain_items
project, reviewers = crowd({reviewers})
plain_items(project, 3000)
print(json.dumps([project.slug, [AuthToken.objects.create(me.user)[1] for me in reviewers]]))
"""
STORED = """
import json
from annotator.models import Annotation, Item
rows = list(Annotation.objects.values_list("assignment_id", "labels"))
holds = Item.objects.filter(open_slots=0).count()
print(json.dumps([rows, holds]))
"""


def shell(code: str, env: dict[str, str]) -> list:
    done = manage("shell", "-v", "0", "-c", code, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class Client(threading.Thread):
    """Claims and submits until the server is gone; `acknowledged` holds what it was told is stored."""

    def __init__(self, port: int, slug: str, token: str, labels: str) -> None:
        super().__init__(daemon=True)
        self.port, self.base, self.labels = port, f"/api/v1/projects/{slug}", labels
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        self.acknowledged: list[int] = []
        self.bad: list[int] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            claimed = self.post(connection, "/claim", {})
            while claimed:
                path = f"/assignments/{claimed['id']}/submit"
                done = self.post(connection, path, {"labels": self.labels, "claim_next": True})
                self.acknowledged.append(done["id"])
                claimed = {"id": done["next"]} if done["next"] else None
        except (OSError, http.client.HTTPException):
            return  # the server was killed: what this test is about

    def post(self, connection: http.client.HTTPConnection, path: str, body: dict) -> dict:
        connection.request("POST", self.base + path, json.dumps(body), self.headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            self.bad.append(answer.status)
        return json.loads(data)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_no_acknowledged_submission_is_lost(
    database: str, tmp_path: Path, migrated: Migrated, start: Start, request: pytest.FixtureRequest
) -> None:
    env = environment(tmp_path / "data")
    if database == "postgres":
        env["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    slug, tokens = shell(SETUP.format(reviewers=REVIEWERS), migrated(env))
    port = free_port()
    web = start(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "config.wsgi",
            "-b",
            f"127.0.0.1:{port}",
            "-w",
            "2",
            "--threads",
            "4",
        ],
        env=env,
    )
    web.wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
    clients = [Client(port, slug, token, "++-") for token in tokens]
    for client in clients:
        client.start()
    time.sleep(3)
    for process in web.family():
        process.kill()
    for client in clients:
        client.join(timeout=30)
    acknowledged = [pk for client in clients for pk in client.acknowledged]
    rows, held = shell(STORED, env)
    stored = [assignment for assignment, _ in rows]
    assert len(acknowledged) > 50
    assert not any(client.bad for client in clients)
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    assert {labels for _, labels in rows} == {"++-"}
    assert len(stored) - len(acknowledged) <= REVIEWERS  # at most what was in flight
    assert held - len(stored) <= REVIEWERS
