"""Put errors into correct solutions by rules, without a model: `manage.py run_rules PROJECT`."""

from synth.management.machine_command import MachineCommand


class Command(MachineCommand):
    method = "rules"
