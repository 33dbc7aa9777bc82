"""The Celery task of reward models, on the `gpu` queue: a doorbell for what is driven."""

from celery import shared_task

from scoring import work


@shared_task(name="scoring.drive")
def drive(drives: str) -> None:
    """Work for at most a minute, then ring again if there is more; the reaper rings for what waits."""
    if work.work(drives):
        drive.delay(drives)
