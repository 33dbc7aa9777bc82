"""Put errors into correct solutions by a model: `manage.py inject PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "inject"
