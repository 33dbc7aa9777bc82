"""A model that does every method's work, on sums: what the story in the browser and a look at the pages ask.

    with FakeLLM() as fake:
        play(fake)

Problems hold one sum, such as "What is $2 + 3$?". Of the solutions it samples, those with an odd seed are wrong at the
second step; it judges truly, but for what `misses` says of a prompt.
    python -m tests.fakes.raters --latency 0.25     # in a process of its own; prints its address
"""

import argparse
import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from tests.fakes.llm import FakeLLM, Request

SUM = re.compile(r"(\d+) \+ (\d+)")
SAID = re.compile(r"That is \$?(\d+)")


def truth(text: str) -> int:
    found = SUM.search(text)
    assert found, text
    return int(found[1]) + int(found[2])


def said(text: str) -> int | None:
    """The last result that stands in a text."""
    found = SAID.findall(text)
    return int(found[-1]) if found else None


def asked(request: Request) -> str:
    """The last problem it was given: examples stand before it, and what was wrong with a first reply after it."""
    said = [str(one["content"]) for one in request.body["messages"] if one["role"] == "user"]
    return next(text for text in reversed(said) if SUM.search(text))


def written(result: int) -> str:
    return f"We add the two numbers.\n\nThat is ${result}$.\n\nSo the answer is $\\boxed{{{result}}}$."


def sampled(request: Request) -> str:
    return written(truth(asked(request)) + request.body.get("seed", 0) % 2)


def rolled(request: Request) -> str:
    text = "\n".join(str(one["content"]) for one in request.body["messages"][1:])
    found = said(text)
    return f"So the answer is $\\boxed{{{truth(text) if found is None else found}}}$."


def judged(request: Request, misses: Callable[[str], bool]) -> str:
    text = asked(request)
    parts = re.findall(r"<paragraph_\d+>(.*?)</paragraph_\d+>", text, re.DOTALL)
    results = [said(part) for part in parts]
    wrong = [at for at, found in enumerate(results) if found is not None and found != truth(text)]
    stop = wrong[0] if wrong and not misses(text) else None
    read = parts if stop is None else parts[: stop + 1]
    blocks = [
        f"<analysis_{n}>Paragraph {n} {'does not hold' if n - 1 == stop else 'holds'}.</analysis_{n}>"
        for n in range(1, len(read) + 1)
    ]
    return "\n".join([*blocks, f"<conclusion>{'Correct' if stop is None else 'Incorrect'}</conclusion>"])


def injected(request: Request, breaks: Callable[[str], bool]) -> str:
    """Ten too many wherever the sum stands; where it breaks the rules it names a wrong step that is not there."""
    text = asked(request)
    steps = [one.strip() for one in re.split(r"^Step \d+\. ", text, flags=re.MULTILINE)[1:]]
    right = str(truth(text))
    wrong = str(truth(text) + 10)
    changed = [at for at, step in enumerate(steps) if right in step]
    made = [step.replace(right, wrong) for step in steps]
    reply: dict[str, Any] = {
        "reason": f"The sum is ${right}$, not ${wrong}$.", "question": "", "steps": made,
        "changed": [at + 1 for at in changed], "wrong": [9] if breaks(text) else [at + 1 for at in changed],
    }  # fmt: skip
    return json.dumps(reply)


def graded(request: Request) -> str:
    text = asked(request)
    steps = re.split(r"^Step \d+\. ", text, flags=re.MULTILINE)[1:]
    validity = [1 if said(step) in (None, truth(text)) else -1 for step in steps]
    return json.dumps({"validity": validity, "redundancy": [-1] * len(steps)})


def never(text: str) -> bool:
    return False


def play(fake: FakeLLM, misses: Callable[[str], bool] = never, breaks: Callable[[str], bool] = never) -> None:
    """misses: of which prompts the judge finds no error where there is one.  breaks: to which the injector's reply is
    of no use, nor the repaired one."""
    fake.says("You solve mathematical problems and show your work", sampled)
    fake.says("You solve mathematical problems step by step", rolled)
    fake.says("You check solutions", lambda request: judged(request, misses))
    fake.says("You grade each step", graded)
    fake.says("You help to test how well people", lambda request: injected(request, breaks))


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake endpoint that does every method's work, on sums.")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    fake = FakeLLM(latency=args.latency, port=args.port)
    play(fake, misses=lambda text: truth(text) % 3 == 0, breaks=lambda text: truth(text) % 4 == 1)
    asyncio.run(fake.serve(said=lambda url: print(url, flush=True)))


if __name__ == "__main__":
    main()
