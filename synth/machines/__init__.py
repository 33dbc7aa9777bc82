"""Machine methods as runs work with them: what is planned, begun and stored (the methods: synth.methods)."""

from synth.machines import consensus, critic, inject, judge, rollout, sample
from synth.machines.machine import Machine

MACHINES: dict[str, Machine] = {
    one.MACHINE.method: one.MACHINE for one in (inject, sample, rollout, judge, critic, consensus)
}
