"""The Celery application: queues, schedule and limits are in the settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("reuseid")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["reuseid", "mobileid"])
