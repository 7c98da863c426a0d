import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_application = get_asgi_application()

from mobileid.waiting.middleware import Waiting  # noqa: E402 - needs the apps

application = Waiting(_application)
