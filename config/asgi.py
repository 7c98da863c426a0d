import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_asgi_application()

from mobileid.waiting.middleware import Waiting  # noqa: E402
from reuseid.ingress.bodies import Bodies  # noqa: E402 - needs the apps
from reuseid.ingress.health import Health  # noqa: E402
from reuseid.ingress.places import Places  # noqa: E402
from reuseid.ingress.readers import Readers  # noqa: E402

# From the outside in. Who waits holds no place: each look takes one.
application = Health(Readers(Bodies(Waiting(Places(_django)))))
