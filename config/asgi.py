import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django.setup(set_prefix=False)

from mobileid.waiting.middleware import Waiting  # noqa: E402 - needs the apps
from reuseid.ingress.bodies import Bodies  # noqa: E402
from reuseid.ingress.handler import Handler  # noqa: E402
from reuseid.ingress.health import Health  # noqa: E402
from reuseid.ingress.readers import Readers  # noqa: E402
from reuseid.ingress.threads import Threads  # noqa: E402

_threads = Threads()

# From the outside in. Who waits holds no thread: each look takes one.
application = Health(Readers(Bodies(Waiting(Handler(_threads)), _threads)), _threads)
