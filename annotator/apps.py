from django.apps import AppConfig
from django.conf import settings


class AnnotatorConfig(AppConfig):
    name = "annotator"

    def ready(self) -> None:
        from annotator import checks  # noqa: F401  (registers the system checks)

        make_broker_folders()


def make_broker_folders() -> None:
    """The filesystem broker needs its folders before the first message."""
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        for name in ("queue", "control"):
            (settings.BROKER_DIR / name).mkdir(parents=True, exist_ok=True)
