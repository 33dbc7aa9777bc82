"""Machine methods as runs work with them: what is planned, begun and stored (the methods: synth.methods)."""

from synth.machines import consensus, judge, rollout, sample
from synth.machines.machine import Machine

MACHINES: dict[str, Machine] = {
    one.MACHINE.method: one.MACHINE for one in (sample, rollout, judge, consensus)
}
