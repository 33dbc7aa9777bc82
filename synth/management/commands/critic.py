"""Have a model grade every step: `manage.py critic PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "critic"
