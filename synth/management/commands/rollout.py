"""Estimate steps by rollouts: `manage.py rollout PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "rollout"
