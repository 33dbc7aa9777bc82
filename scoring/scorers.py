"""What scores: a model that is loaded here, the last one kept since the next task usually wants it, or a server."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from annotator.errors import PlumblineError
from scoring import installed
from scoring.prm import catalogue, engine, remote
from scoring.prm.engine import Model, Scored
from scoring.prm.kept import Kept
from scoring.prm.spec import Spec
from scoring.prm.tokens import Tokens

log = logging.getLogger(__name__)
Texts = Iterable[tuple[str, str, Sequence[str]]]  # key, problem, steps
MOST_SAID = 300  # characters of what a library says
LEAST = 8  # memory that ran out leaves at least an eighth of the budget for the next batches

_loaded: dict[str, Model] = {}  # the last model of this process, by what it was loaded with


class NotLoaded(PlumblineError):
    """Something stopped a model from loading that a person has to see to: no memory, most of the time."""

    code = "not_loaded"


@contextmanager
def loading(params: Mapping[str, Any]) -> Iterator[None]:
    """Whatever a library raises over a folder or a device is a refusal with its reason. Raises PlumblineError."""
    try:
        yield
    except PlumblineError:
        raise
    except Exception as error:
        log.debug("The whole of it:", exc_info=True)  # who asked is told in a sentence
        said = (str(error).strip().splitlines() or ["no more is known"])[0][:MOST_SAID]
        told = f"{params['model']} cannot be loaded: {type(error).__name__}: {said.removesuffix('.')}."
        raise NotLoaded(told, field="model") from error


class Scorer(NamedTuple):
    """spec: with the checkpoint's own most tokens. score: batches of Scored, each solution once."""

    spec: Spec
    score: Callable[[Texts], Iterator[list[Scored]]]


def scorer_of(params: Mapping[str, Any]) -> Scorer:
    """What a run's or a unit's parameters (scoring.actions.parameters) name. Raises PlumblineError where it cannot
    be loaded."""
    if not params.get("server"):
        model = model_of(params)
        return Scorer(model.spec, lambda texts: _here(model, params["token_budget"], texts))
    spec, tokens = writing(params)
    remote.check(spec)
    server = remote.Server(params["server"], params["served_as"])
    return Scorer(spec, lambda texts: _there(server, spec, tokens, texts))


def _here(model: Model, budget: int, texts: Texts) -> Iterator[list[Scored]]:
    model.budget = min(budget, max(model.budget, budget // LEAST))  # what ran out may be free again
    with closing(kept()) as ids:
        yield from engine.score(model, texts, kept=ids)


def _there(server: remote.Server, spec: Spec, tokens: Tokens, texts: Texts) -> Iterator[list[Scored]]:
    with closing(kept()) as ids:
        yield from remote.score(server, spec, tokens, texts, kept=ids)


def writing(params: Mapping[str, Any]) -> tuple[Spec, Tokens]:
    """What solutions are written with, as the loaded model has it: what is planned with it is what is scored. Reads no
    weights. Raises PlumblineError."""
    spec = _spec(params)
    with loading(params):
        return engine.limited(spec, params["folder"]), engine.tokenizer(Path(params["folder"]))


def _spec(params: Mapping[str, Any]) -> Spec:
    """Raises CatalogueError where what the run was started with is not in the catalogue any more."""
    return catalogue.entry(params["model"], *installed.more()).variant(params["variant"])


def model_of(params: Mapping[str, Any]) -> Model:
    """The model, loaded at most once while the same is asked for."""
    key = json.dumps({
        name: params[name] for name in ("model", "folder", "variant", "device", "dtype", "device_map")
    })  # fmt: skip
    if key not in _loaded:
        _loaded.clear()  # before the next is loaded: two may not fit
        with loading(params):
            _loaded[key] = engine.load(
                _spec(params), Path(params["folder"]), params["device"], params["dtype"],
                reference=Path(params["reference"]) if params["reference"] else None,
                device_map=params["device_map"], budget=params["token_budget"],
            )  # fmt: skip
    return _loaded[key]


def kept() -> Kept:
    """Token ids that were made once; to be closed."""
    return Kept(Path(settings.DATA_DIR) / "token-ids.sqlite3")
