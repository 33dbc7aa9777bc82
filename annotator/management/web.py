"""Gunicorn's configuration: `gunicorn -c python:annotator.management.web config.wsgi`.

Threads, because a review page waits for its database more than it computes.
"""

import gc
from typing import Any

from annotator.management.processes import die_with_parent

# Settings that pay off in a web process only (config/settings.py).
raw_env = ["PLUMBLINE_WEB=1"]
worker_class = "gthread"
workers = 2
threads = 4
# A reviewer's browser fetches the next page, the draft's replies and the files over one connection.
keepalive = 30
# Less than the five seconds after which honcho kills; a request takes milliseconds.
graceful_timeout = 4
# Requests answered before a worker is replaced: bounds what a leak could ever take.
max_requests = 20_000
max_requests_jitter = 2_000
# One socket in the home folder, shared by all servers of a user, to steer them by: nobody here does.
control_socket_disable = True


def post_fork(server: Any, worker: Any) -> None:
    die_with_parent(worker.ppid)


def post_worker_init(worker: Any) -> None:
    """What is loaded now stays: without this the collector walks it again for every few requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
