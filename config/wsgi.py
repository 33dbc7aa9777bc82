"""The web's entry point: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from annotator.checks import refuse_unsafe  # noqa: E402  (apps must be loaded first)

refuse_unsafe()
