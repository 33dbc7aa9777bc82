"""Is a solution of 107 steps comfortable: how soon can one review it, and how soon does a key show?

    python bench/bench_long_page.py [PATH…] [--steps 107] [--keys 200] [--loads 10]

The steps are made here, with mathematics in each; paths are taken because `make bench` gives them, and ignored. A
browser opens the page as a reviewer does. Ready: from asking for the page until the mathematics in view is set and
the keys work. Key: from the key's own time stamp until the frame that shows it has been drawn. The last column is the
CPU time of the page's main thread for it, which other work on the machine does not lengthen.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_review import MAKE_REVIEWERS, percentile
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from serving import database, environment, manage, shell, web

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SETTLE_MS = 1500  # until what comes near the view has its mathematics too
BOUNDS = {"ready": 1000, "key": 50}
KEYS = "1 j 3 c k 2 j u 4 1 1 3 f j k"  # one labels, moves, chooses types, undoes

CLAIM = """
import json
from annotator import queue
from annotator.models import Membership
print(json.dumps(queue.claim(by=Membership.objects.get(user__username="reviewer0")).pk))
"""

# Two frames after the key: the first may have been under way, the second has drawn what the key changed.
WATCH = """() => {
  window.times = []
  addEventListener('keydown', (event) => {
    const pressed = event.timeStamp
    requestAnimationFrame(() => requestAnimationFrame(() => window.times.push(performance.now() - pressed)))
  }, true)
}"""
READY = """() => Math.max(performance.getEntriesByName('keys live')[0].startTime,
  performance.getEntriesByName('mathematics in view')[0].startTime)"""
ARE_READY = "() => performance.getEntriesByName('mathematics in view').length > 0"


def record(n_steps: int) -> dict[str, object]:
    """A PRMBench record in which every third step was changed."""
    steps = [
        f"Step {i}. With $x_{{{i}}} = \\frac{{{i}}}{{{i + 1}}}$ we have \\(\\sum_{{k=1}}^{{{i}}} k = "
        f"{i * (i + 1) // 2}\\), so the $ {i} + {i}^2 = {i + i * i}$ that we looked for follows from step {i - 1}."
        for i in range(1, n_steps + 1)
    ]
    changed = [
        step.replace("follows", "clearly follows") if i % 3 == 2 else step for i, step in enumerate(steps)
    ]
    wrong = list(range(3, n_steps + 1, 3))
    return {
        "original_question": "What is the sum?", "modified_question": "What is the sum?",
        "question": "What is the sum?",
        "original_process": steps, "modified_process": changed, "modified_steps": wrong, "error_steps": wrong,
        "reason": "made up", "idx": "confidence_bench_0", "classification": "confidence",
    }  # fmt: skip


@contextmanager
def served(n_steps: int, protocol: str) -> Iterator[tuple[str, str]]:
    """The page's address and the session that may open it."""
    with tempfile.TemporaryDirectory() as name, database("sqlite", Path(name)) as url:
        folder = Path(name)
        env = environment(folder, url)
        manage(env, "migrate", "-v", "0")
        manage(env, "collectstatic", "--no-input", "-v", "0")
        (folder / "long.jsonl").write_text(json.dumps(record(n_steps)) + "\n")
        manage(
            env, "import_solutions", "bench", str(folder / "long.jsonl"), "--format", "prmbench", "--create",
            "--protocol", protocol,
        )  # fmt: skip
        sessions = shell(env, MAKE_REVIEWERS.format(n=1))
        claimed = shell(env, CLAIM)
        with web(env) as port:
            yield f"http://127.0.0.1:{port}/p/bench/review/{claimed}/", sessions[0]


@contextmanager
def opened(browser: Browser, address: str, session: str) -> Iterator[tuple[Page, CDPSession]]:
    """The page, ready, with an empty cache, as on the first item of a day."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(address, wait_until="commit")
    page.wait_for_function(ARE_READY)
    yield page, cdp
    context.close()


def cpu_ms(cdp: CDPSession) -> float:
    """CPU time of the page's main thread so far."""
    found = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    spent: float = found["TaskDuration"] * 1000
    return spent


def key_times(page: Page, n_keys: int) -> list[float]:
    """Milliseconds of each key, at the pace of a quick reviewer."""
    page.evaluate(WATCH)
    keys = KEYS.split()
    for number in range(n_keys):
        page.keyboard.press(keys[number % len(keys)])
        page.wait_for_timeout(60)
    page.wait_for_timeout(300)
    times: list[float] = page.evaluate("window.times")
    return times


def measure(browser: Browser, n_steps: int, protocol: str, loads: int, n_keys: int) -> list[str]:
    """Two lines of the table."""
    ready: list[float] = []
    cpu: list[float] = []
    with served(n_steps, protocol) as (address, session):
        for _ in range(loads):
            with opened(browser, address, session) as (page, cdp):
                ready.append(page.evaluate(READY))
                cpu.append(cpu_ms(cdp))
        with opened(browser, address, session) as (page, cdp):
            page.wait_for_timeout(SETTLE_MS)
            before = cpu_ms(cdp)
            keys = key_times(page, n_keys)
            per_key = (cpu_ms(cdp) - before) / n_keys
    what = f"{protocol}, {n_steps} steps"
    return [
        line(f"{what}, ready", ready, BOUNDS["ready"], sorted(cpu)[len(cpu) // 2]),
        line(f"{what}, key", keys, BOUNDS["key"], per_key),
    ]


def line(what: str, times: list[float], bound: int, cpu: float) -> str:
    p50, p95 = (percentile([time / 1000 for time in times], share) for share in (0.5, 0.95))
    return f"| {what} | {len(times)} | {p50:.0f} | {p95:.0f} | {max(times):.0f} | {bound} | {cpu:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--steps", nargs="+", type=int, default=[107])
    parser.add_argument("--protocol", nargs="+", default=["verify_injection", "label_steps"])
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--loads", type=int, default=10)
    args = parser.parse_args()
    print("| what | n | p50 ms | p95 ms | slowest | bound | CPU ms |\n|---|---|---|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for protocol in args.protocol:
            for n_steps in args.steps:
                print("\n".join(measure(browser, n_steps, protocol, args.loads, args.keys)), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
