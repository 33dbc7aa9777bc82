"""The one further request that follows a reply which could not be used."""

from collections.abc import Iterable, Mapping
from typing import Final

from synth.methods import prompts
from synth.methods.asks import Reply
from synth.methods.replies import without_thinking

PROMPT: Final = "repair-1"
_SHOWN: Final = 20_000  # characters of a reply that are sent back with it


def again(
    messages: Iterable[Mapping[str, str]], reply: Reply, reasons: Iterable[str]
) -> tuple[Mapping[str, str], ...]:
    """Return a conversation with the reply and what is wrong with it, one sentence a reason."""
    said = without_thinking(reply.text)[:_SHOWN].strip() or "(no text)"
    return (
        *messages,
        {"role": "assistant", "content": said},
        prompts.message("user", PROMPT, "user", reasons=list(reasons)),
    )
