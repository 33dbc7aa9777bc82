"""How many submit-and-claim cycles a second does the server carry, and does it stay flat as the project grows?

    python bench/bench_review.py PATH… [--items 6000 62000] [--database postgres sqlite] [--reviewers 32]
        [--seconds 15] [--think 0] [--protocol label_steps|verify_injection] [--behind 30000]

A cycle is what a reviewer does: POST the form of one item (submit and claim the next), then GET the full page it
leads to. The client runs on the same machine and is counted. The given PRMBench records are tiled with fresh ids.
`--behind N` adds a reviewer who has N still-open items behind them (overlap 2) and measures their claims alone.
"""

import argparse
import http.client
import re
import statistics
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import psutil
from serving import database, environment, manage, shell, web
from tiling import tile

TOKEN = "b" * 32  # the double-submit CSRF token: any 32 characters, the same in cookie and form

MAKE_REVIEWERS = """
import json
from importlib import import_module
from django.conf import settings
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from annotator.models import Membership, Project, Rater, User
store = import_module(settings.SESSION_ENGINE).SessionStore
project = Project.objects.get(slug="bench")
keys = []
for i in range({n}):
    user = User.objects.create(username=f"reviewer{{i}}")
    rater = Rater.objects.create(kind="reviewer", name=user.username, user=user)
    Membership.objects.create(project=project, user=user, rater=rater, guideline_read=99)
    session = store()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""

PUT_BEHIND = """
import json
from annotator.models import Assignment, Item, Membership
me = Membership.objects.get(user__username="reviewer0")
ids = list(Item.objects.order_by("id").values_list("pk", flat=True)[:{n}])
Assignment.objects.bulk_create(
    [Assignment(project=me.project, item_id=pk, rater=me.rater, state="submitted") for pk in ids], 2000)
Item.objects.filter(pk__in=ids[:0]).update(open_slots=1)
Item.objects.filter(pk__lte=ids[-1]).update(open_slots=1)
print(json.dumps(len(ids)))
"""

STORED = """
import json
from django.db.models import Count
from annotator.models import Annotation, Assignment, Item
twice = Assignment.objects.filter(surplus=False).exclude(state__in=["expired", "skipped"]).values("item")
print(json.dumps([
    Annotation.objects.filter(phase__in=["blind"]).count(),
    twice.annotate(n=Count("id")).filter(n__gt=Item.objects.first().wanted).count(),
]))
"""


class Result(NamedTuple):
    cycles: int
    seconds: float
    pages: list[float]
    posts: list[float]
    statuses: Counter[int]
    submitted: int
    cpu: dict[str, float]  # seconds by who spent them


class Reviewer(threading.Thread):
    """One browser: a keep-alive connection, the session's cookie, a closed loop."""

    def __init__(self, port: int, session: str, stop_at: list[float], think: float) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookie = f"sessionid={session}; csrftoken={TOKEN}"
        self.stop_at, self.think = stop_at, think
        self.pages: list[float] = []
        self.posts: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.cycles = self.submitted = 0

    def run(self) -> None:
        path = self.post("/p/bench/next/", {})
        while path and "/review/" in path and time.monotonic() < self.stop_at[0]:
            fields, phase = self.page(path)
            time.sleep(self.think)
            following = self.post(path, fields)
            self.submitted += phase == "blind"
            path = following
            self.cycles += 1

    def post(self, path: str, fields: dict[str, str]) -> str:
        body = urlencode({**fields, "csrfmiddlewaretoken": TOKEN})
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        started = time.perf_counter()
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        self.posts.append(time.perf_counter() - started)
        self.statuses[answer.status] += 1
        return answer.getheader("Location") or ""

    def page(self, path: str) -> tuple[dict[str, str], str]:
        """The full page, and the form filled in: every step right."""
        started = time.perf_counter()
        self.connection.request("GET", path, headers={"Cookie": self.cookie, "Accept-Encoding": "gzip"})
        answer = self.connection.getresponse()
        html = answer.read()
        self.pages.append(time.perf_counter() - started)
        self.statuses[answer.status] += 1
        if answer.getheader("Content-Encoding") == "gzip":
            import gzip

            html = gzip.decompress(html)
        names = set(re.findall(rb'name="(label-\d+)"', html))
        fields = {"n_steps": str(len(names)), **{name.decode(): "+" for name in names}}
        fields["do"] = "commit" if b'value="commit"' in html else "submit"
        if b'name="verdict-claim"' in html:
            fields |= {"verdict-claim": "accept", "verdict-original": "right"}
            return fields, "revealed"
        return fields, "blind"


def run(port: int, sessions: list[str], seconds: float, think: float) -> Result:
    stop_at = [time.monotonic() + seconds]
    reviewers = [Reviewer(port, session, stop_at, think) for session in sessions]
    started, before = time.monotonic(), cpu_seconds()
    for reviewer in reviewers:
        reviewer.start()
        time.sleep(think / len(reviewers))  # people do not all begin in the same instant
    for reviewer in reviewers:
        reviewer.join()
    took, spent = time.monotonic() - started, Counter(cpu_seconds())
    spent.subtract(before)
    statuses: Counter[int] = sum((reviewer.statuses for reviewer in reviewers), Counter())
    return Result(
        sum(r.cycles for r in reviewers), took, [t for r in reviewers for t in r.pages],
        [t for r in reviewers for t in r.posts], statuses, sum(r.submitted for r in reviewers), dict(spent),
    )  # fmt: skip


def cpu_seconds() -> dict[str, float]:
    """CPU time so far of the web, the database's server and this client."""
    spent = {"web": 0.0, "database": 0.0, "client": sum(psutil.Process().cpu_times()[:2])}
    for process in psutil.Process().children(recursive=True) + postgres_processes():
        with suppress(psutil.NoSuchProcess):  # a helper of the database has ended meanwhile
            who = "database" if process.name().startswith("postgres") else "web"
            spent[who] += sum(process.cpu_times()[:2])
    return spent


def postgres_processes() -> list[psutil.Process]:
    """The server detaches itself from who started it."""
    return [process for process in psutil.process_iter(["name"]) if process.info["name"] == "postgres"]


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def report(name: str, result: Result, stored: list[int]) -> str:
    """One line of the table; times in milliseconds."""
    cpu = " / ".join(f"{seconds / result.cycles * 1000:.1f}" for seconds in result.cpu.values())
    bad = sum(n for status, n in result.statuses.items() if status >= 400)
    return (
        f"| {name} | {result.cycles / result.seconds:.0f} | {statistics.median(result.posts) * 1000:.0f} / "
        f"{percentile(result.posts, 0.99):.0f} | {statistics.median(result.pages) * 1000:.0f} / "
        f"{percentile(result.pages, 0.99):.0f} | {cpu} | {bad} | {result.submitted - stored[0]} | {stored[1]} |"
    )


def measure(args: argparse.Namespace, kind: str, n_items: int) -> str:
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
        folder = Path(name)
        env = environment(folder, url)
        manage(env, "migrate", "-v", "0")
        manage(env, "collectstatic", "--no-input", "-v", "0")
        records = tile(args.paths, n_items, folder / "tiled.jsonl")
        overlap = "2" if args.behind else "1"
        manage(
            env, "import_solutions", "bench", str(records), "--format", "prmbench", "--create",
            "--protocol", args.protocol, "--overlap", overlap,
        )  # fmt: skip
        sessions = shell(env, MAKE_REVIEWERS.format(n=args.reviewers))
        if args.behind:
            shell(env, PUT_BEHIND.format(n=args.behind))
            sessions = sessions[:1]
        with web(env) as port:
            run(port, sessions[:2], 2, 0)  # warm
            before = shell(env, STORED)
            result = run(port, sessions, args.seconds, args.think)
            after = shell(env, STORED)
        stored = [after[0] - before[0], after[1]]
        label = (
            f"{kind}, {n_items:,} items, {len(sessions)} reviewers, think {args.think:g} s, {args.protocol}"
        )
        return report(label + (f", {args.behind:,} behind" if args.behind else ""), result, stored)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--items", nargs="+", type=int, default=[6000, 62000])
    parser.add_argument("--database", nargs="+", default=["postgres", "sqlite"])
    parser.add_argument("--reviewers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--think", type=float, default=0)
    parser.add_argument("--protocol", default="label_steps")
    parser.add_argument("--behind", type=int, default=0)
    args = parser.parse_args()
    head = ("what", "cycles/s", "POST p50 / p99 ms", "page p50 / p99 ms", "CPU ms web / database / client")
    print(f"| {' | '.join((*head, '4xx, 5xx', 'lost', 'given twice'))} |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in args.database:
        for n_items in args.items:
            print(measure(args, kind, n_items), flush=True)


if __name__ == "__main__":
    main()
