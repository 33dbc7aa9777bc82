"""The settings of the tests: the project's own, on temporary data, with what only costs time turned down."""

import atexit
import os
import runpy
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = Path(tempfile.mkdtemp(prefix="plumbline-test-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

# Set before the settings read them, so that a .env file is not heard. Each xdist worker is a process
# with a folder of its own. DATABASE_URL in the environment chooses the database server; Django makes a test
# database on it and leaves the named one alone.
os.environ["SECRET_KEY"] = "only-for-tests-0123456789-0123456789-0123456789"
os.environ["DATA_DIR"] = str(SCRATCH)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{SCRATCH / 'plumbline.sqlite3'}")
os.environ["CELERY_BROKER_URL"] = "filesystem://"
os.environ["LOG_FORMAT"] = "plain"
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps an event loop running in the test's thread
for _name in (
    "DEBUG",
    "HTTPS",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "BEHIND_PROXY",
    "TIME_ZONE",
    "ENDPOINTS_FILE",
    "MODELS_DIR",
):
    os.environ.pop(_name, None)

# Read as a file: importing it would import the package, which starts Celery, which asks for these settings.
_settings = runpy.run_path(str(ROOT / "config" / "settings.py"))
globals().update({name: value for name, value in _settings.items() if name.isupper()})

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F821
    # A file, not memory: WAL and its locks are part of what is tested. It need not survive a power cut.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}  # noqa: F821
    SQLITE_OPTIONS["init_command"] = SQLITE_PRAGMAS.format("OFF")  # noqa: F821

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each client of a test starts the application, which would look through all files that `manage.py up` collected.
STATIC_ROOT = SCRATCH / "static"
STATIC_ROOT.mkdir()
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F821

# The cache of annotator/caching.py is by project id, which a rolled back test gives to the next one.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
