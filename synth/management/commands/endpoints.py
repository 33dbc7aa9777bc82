"""The endpoints the operator declared: `manage.py endpoints [NAME …] [--check]` (docs/endpoints.md)."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.errors import Invalid
from synth import endpoints
from synth.calls import Answer, CallFailed
from synth.client import Client
from synth.endpoints import Endpoint
from synth.methods.asks import Ask

# What the methods send, in small: so that an endpoint which refuses a parameter says so here, and not in a run.
TINY = Ask(
    messages=({"role": "user", "content": 'What is 17 + 4? Answer with JSON only: {"answer": the number}'},),
    params={"temperature": 0.0, "top_p": 1.0, "seed": 1, "max_tokens": 1000},
    schema={
        "type": "object",
        "properties": {"answer": {"type": "integer"}},
        "required": ["answer"],
        "additionalProperties": False,
    },
)


class Command(BaseCommand):
    help = "List the endpoints; --check sends each one tiny request."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="only these; default: all")
        parser.add_argument("--check", action="store_true", help="send one tiny request, which is paid for")

    def handle(self, *args: Any, names: list[str], check: bool, **options: Any) -> None:
        chosen = self._chosen(names)
        if not chosen:
            self.stdout.write(f"No endpoint is declared in {settings.ENDPOINTS_FILE}; see docs/endpoints.md.")
        wrong = 0
        for endpoint in chosen:
            self.stdout.write(described(endpoint))
            if check:
                said = tried(endpoint)
                wrong += not said.startswith("ok")
                self.stdout.write(f"  {said}")
        if wrong:
            raise CommandError(f"{wrong} of {len(chosen)} did not answer.")

    def _chosen(self, names: list[str]) -> list[Endpoint]:
        try:
            return [endpoints.find(name) for name in names] or list(endpoints.load().values())
        except Invalid as error:
            raise CommandError(error.message) from error


def described(endpoint: Endpoint) -> str:
    """One line: what is asked, how much of it at once, what it costs, whether its key is there."""
    rate = f", {endpoint.per_second * 60:g} a minute" if endpoint.per_second else ""
    prices = f"{endpoint.prompt_price:g} + {endpoint.completion_price:g} {endpoint.currency} a million tokens"
    price = prices if endpoint.prompt_price or endpoint.completion_price else "free"
    parts = [
        endpoint.model,
        endpoint.base_url,
        f"{endpoint.concurrency} at once{rate}",
        price,
        key_of(endpoint),
    ]
    return f"{endpoint.name}: {' · '.join(parts)}"


def key_of(endpoint: Endpoint) -> str:
    try:
        return f"key in {endpoint.key_env}" if endpoint.key() else "no key"
    except Invalid:
        return f"{endpoint.key_env} IS NOT SET"


def tried(endpoint: Endpoint) -> str:
    """What one request came to: a line that begins with ok, or says what is wrong."""
    try:
        answer = asyncio.run(_ask(endpoint))
    except CallFailed as failed:
        return f"failed: {failed.message}"
    except Invalid as error:
        return f"failed: {error.message}"
    text = " ".join(answer.reply.text.split())[:80] or f"an empty reply ({answer.reply.finish_reason})"
    took = f"{answer.latency_ms} ms, {answer.prompt_tokens} + {answer.completion_tokens} tokens"
    return f"ok: {took}: {text}"


async def _ask(endpoint: Endpoint) -> Answer:
    async with Client(endpoint, tries=1) as client, client.slots:
        return await client.call(TINY, client.digest(TINY))
