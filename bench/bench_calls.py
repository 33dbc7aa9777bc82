"""How many calls a second does one worker make and store, against an endpoint that takes 250 ms?

    python bench/bench_calls.py PATH… [--units 2000] [--at-once 64] [--latency 0.25] [--database sqlite postgres]
        [--many 100000]

The endpoint is a process of its own on the same machine (tests/fakes/llm.py). Beside the worker stand a sequential
loop and a bare client: the same requests at once, nothing stored. The worker judges solutions by the project's own
runs: units leased, calls and annotations stored, SQLite with synchronous=FULL. `--many` judges so many made-up
solutions without latency and prints what memory the worker held along the way.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
from serving import ROOT, database, environment, manage, shell
from tiling import tile

REPLY = "<analysis_1>" + "The first paragraph claims what does not follow. " * 12 + "</analysis_1>\n"
REPLY += "<conclusion>Incorrect</conclusion>"
PROMPT = "Paragraph by paragraph, look for the first error. " * 40

# One worker, as `manage.py worker` is one: plans, then drives; prints one JSON line.
WORK = """
import json, resource, threading, time
from pathlib import Path
from annotator.models import Call, Project, Run
from annotator.policies import Operator
from synth import actions, work

held = []
def look():
    page = resource.getpagesize()
    while True:
        _, resident, shared = map(int, Path("/proc/self/statm").read_text().split()[:3])
        held.append((resident - shared) * page)  # files mapped by SQLite are the kernel's to drop
        time.sleep(1)

project = Project.objects.get(slug="bench")
run = actions.start(by=Operator(), project=project, method="judge", given={{"endpoint": "bench"}}, inline=True)
threading.Thread(target=look, daemon=True).start()
started, cpu = time.monotonic(), time.process_time()
while work.work(run.drives, seconds={seconds}):
    pass
took = time.monotonic() - started
run.refresh_from_db()
calls = Call.objects.filter(unit__run=run, reused=False)
times = list(calls.order_by("pk").values_list("created_at", flat=True))
print(json.dumps(dict(
    state=run.state, because=run.because, calls=len(times), done=run.n_done, took=took,
    driven=(times[-1] - times[0]).total_seconds(), cpu=time.process_time() - cpu,
    distinct=calls.values("unit", "n").distinct().count(), held=held,
)))
"""


@contextmanager
def endpoint(latency: float) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.fakes.llm", "--latency", str(latency), "--reply", REPLY]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def bare(url: str, at_once: int, seconds: float) -> float:
    """Calls a second of a client that stores nothing."""
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    until, done = time.monotonic() + seconds, 0
    async with httpx2.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:

        async def one() -> None:
            nonlocal done
            while time.monotonic() < until:
                body = {"model": "m", "messages": [{"role": "user", "content": f"{done} {PROMPT}"}]}
                json.loads((await client.post(f"{url}/chat/completions", json=body)).content)
                done += 1

        started = time.monotonic()
        await asyncio.gather(*(one() for _ in range(at_once)))
        return done / (time.monotonic() - started)


def distinct(file: Path) -> Path:
    """The same file with questions of their own: what was asked before would not be asked again."""
    records = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
    for n, record in enumerate(records):
        for name in ("question", "original_question", "modified_question"):
            record[name] = f"{record[name]} (No. {n})"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def judged(args: argparse.Namespace, kind: str, n: int, latency: float) -> dict[str, float]:
    """What a worker's run over n solutions came to."""
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as db, endpoint(latency) as url:
        folder = Path(name)
        env = environment(folder, db)
        manage(env, "migrate", "-v", "0")
        records = distinct(tile(args.paths, n, folder / "tiled.jsonl"))
        manage(env, "import_solutions", "bench", str(records), "--format", "prmbench", "--create")
        declared = f'[endpoints.bench]\nbase_url = "{url}"\nmodel = "m"\nconcurrency = {args.at_once}\n'
        (folder / "endpoints.toml").write_text(declared)
        found = shell(env, WORK.format(seconds=3600 if n > 20_000 else 50))
        assert isinstance(found, dict)
        if found["state"] != "complete" or found["distinct"] != found["calls"]:
            raise SystemExit(f"The run did not complete: {found}")
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--units", type=int, default=1500)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.25)
    parser.add_argument("--database", nargs="+", default=["sqlite"], choices=["sqlite", "postgres"])
    parser.add_argument("--many", type=int, default=0)
    args = parser.parse_args()
    possible = args.at_once / args.latency
    print(
        f"{psutil.cpu_count()} cores, load {psutil.getloadavg()[0]:.1f}; possible: {possible:.0f} calls/s\n"
    )
    print("| what | calls/s | of the possible | CPU ms a call |\n|---|---|---|---|")
    with endpoint(args.latency) as url:
        for name, at_once in (("sequential loop", 1), (f"bare client, {args.at_once} at once", args.at_once)):
            rate = asyncio.run(bare(url, at_once, 5))
            print(f"| {name} | {rate:.1f} | {rate / possible:.0%} | |", flush=True)
    for kind in args.database:
        found = judged(args, kind, args.units, args.latency)
        rate = found["calls"] / found["driven"]
        print(
            f"| worker, stored in {kind} | {rate:.1f} | {rate / possible:.0%} "
            f"| {found['cpu'] / found['calls'] * 1000:.1f} |",
            flush=True,
        )
    if args.many:
        memory(judged(args, args.database[0], args.many, 0.0))


def memory(found: dict[str, float]) -> None:
    held = found["held"]
    assert isinstance(held, list)
    rate = found["calls"] / found["took"]
    print(f"\n{found['calls']} calls without latency, {rate:.0f} a second. Memory of the worker:")
    print("| share of the run | MiB |\n|---|---|")
    for tenth in range(11):
        at = min(len(held) - 1, tenth * len(held) // 10)
        print(f"| {tenth * 10} % | {held[at] / 1024**2:.0f} |")


if __name__ == "__main__":
    main()
