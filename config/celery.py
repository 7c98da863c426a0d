"""The Celery application: queues, schedule and limits are in the settings."""

import os

from celery import Celery
from celery.signals import task_postrun, task_prerun
from django.db import close_old_connections

from reuseid import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("reuseid")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["reuseid", "mobileid"])


@task_prerun.connect
def begin_trace(**signal):
    """One trace id a task, as each request has one."""
    tracing.begin()


@task_prerun.connect
@task_postrun.connect
def look_after_connections(task, **signal):
    """As Django does around a request; a task that runs within its caller may be in the caller's transaction."""
    if not task.request.is_eager:
        close_old_connections()
