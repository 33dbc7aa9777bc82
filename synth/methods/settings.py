"""How a method is to ask: checked settings with bounds, for commands, pages and tasks alike.

Kept as JSON in a run's parameters (`model_dump`), read back with `model_validate`, which raises pydantic's
ValidationError naming the field. Titles and descriptions are what a form shows.
"""

from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from synth.methods import prompts

MAX_SEED: Final = 2**31
TEMPERATURE: Final = "0: the likeliest words; higher: more varied. Empty: not sent."


class How(BaseModel):
    """Settings of every request. None leaves a parameter out: some reasoning models refuse it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    METHOD: ClassVar[str] = ""
    PROMPTS: ClassVar[tuple[str, ...]] = ()

    temperature: float | None = Field(
        1.0,
        ge=0,
        le=2,
        title="Temperature",
        description=TEMPERATURE,
    )
    top_p: float | None = Field(
        1.0, gt=0, le=1, title="Top p", description="Words outside this share of probability are never drawn."
    )
    max_tokens: int = Field(4096, ge=1, le=1_000_000, title="Most tokens", description="Of one reply.")
    seed: int | None = Field(
        0,
        ge=0,
        lt=MAX_SEED,
        title="Seed",
        description="Of the first draw; each further draw has the next. Empty: not sent.",
    )

    def params(self, draw: int = 0) -> dict[str, Any]:
        """Return what the body of a request carries. draw: 0-based; each draw has a seed of its own."""
        seed = None if self.seed is None else (self.seed + draw) % MAX_SEED
        sent = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": seed,
        }
        return {name: value for name, value in sent.items() if value is not None}

    def prompts(self) -> tuple[str, ...]:
        """The names of the prompts that are used."""
        return self.PROMPTS

    def identity(self) -> dict[str, Any]:
        """What of the settings makes another rater: all but the seed, which says which draw, not who draws."""
        return self.model_dump(exclude={"seed"})


def spec(how: How, model: str) -> dict[str, Any]:
    """Return what makes one rater of a model, its prompts and its settings: Rater.spec.

    A threshold is never in it: scores are kept, and labels at a threshold are a view of them.
    """
    names = how.prompts()
    return {
        "method": how.METHOD,
        "model": model,
        "prompt": names[0],
        "prompt_digest": prompts.digest(*names),
        **how.identity(),
    }
