"""Have a model look for the first error: `manage.py judge PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "judge"
