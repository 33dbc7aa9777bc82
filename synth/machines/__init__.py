"""Machine methods as runs work with them: what is planned, begun and stored (the methods: synth.methods)."""

from synth.machines import alternatives, consensus, critic, inject, judge, rollout, rules, sample
from synth.machines.machine import Machine

MACHINES: dict[str, Machine] = {
    one.MACHINE.method: one.MACHINE
    for one in (rules, inject, alternatives, sample, rollout, judge, critic, consensus)
}
