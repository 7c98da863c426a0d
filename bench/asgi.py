"""The service behind its own ingress with the addresses of ``bench.urls``: what ``manage.py bench_flows`` starts."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if settings.PRODUCTION:
    raise ImproperlyConfigured("bench.asgi has a view without rights: it is never served in production.")
settings.ROOT_URLCONF = "bench.urls"

from config.asgi import application  # noqa: E402

__all__ = ["application"]
