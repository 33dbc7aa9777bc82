"""The Celery task of language models and rules: a doorbell for what is driven, not for one run."""

from celery import shared_task

from synth import work


@shared_task(name="synth.drive")
def drive(drives: str) -> None:
    """Work for at most a minute, then ring again if there is more; the reaper rings for what waits."""
    if work.work(drives):
        drive.delay(drives)
