"""Whether a run still is what it was when it began: a rater's words must all come of one prompt and one endpoint."""

import logging

from annotator.core.digest import digest
from annotator.models import Run
from synth.endpoints import Endpoint
from synth.machines import MACHINES
from synth.machines.machine import Machine, spec_of

log = logging.getLogger(__name__)
OTHER_ENDPOINT = (
    "The endpoint {name} is not as it was when this run began: its address, its model or what it adds to requests has "
    "changed. Declare it as it was and go on, or start another run."
)
OTHER_PROMPT = "The prompt has changed since this run began: start another."


def why_not(run: Run, endpoint: Endpoint | None) -> str:
    """Why this run must not go on, and what to do about it; "" where it may. endpoint: None where it asks none."""
    if endpoint and run.params.get("endpoint_identity") != endpoint.identity_digest():
        return OTHER_ENDPOINT.format(name=endpoint.name)
    return "" if _has_its_spec(run, MACHINES[run.method]) else OTHER_PROMPT


def _has_its_spec(run: Run, machine: Machine) -> bool:
    try:
        now = digest(spec_of(machine, run.params))
    except Exception:  # a setting, a prompt or a rater that is there no more
        log.exception("The spec of run %s cannot be made any more", run.pk)
        return False
    return now == (run.rater.digest if run.rater else run.params.get("spec"))
