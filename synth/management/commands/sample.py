"""Draw solutions of a project's problems: `manage.py sample PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "sample"
