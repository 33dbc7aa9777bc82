"""Compare a judge with rollouts: `manage.py consensus PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "consensus"
