"""The Celery application. Tasks are found in each app's tasks.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging
from django.core.exceptions import ImproperlyConfigured

from config import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

broker.use()
app = Celery("plumbline")
app.set_default()  # current_app is per thread: without this the web's threads would ring a bell nobody hears
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Connected so that Celery leaves the logging of settings.py alone."""


@celeryd_init.connect
def _refuse_unsafe(**_: Any) -> None:
    """Celery logs an exception of a receiver and goes on; SystemExit it lets through."""
    from annotator.checks import refuse_unsafe

    try:
        refuse_unsafe()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
