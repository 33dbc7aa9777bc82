"""Find other solutions by a model: `manage.py alternatives PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "alternatives"
