from django.apps import AppConfig


class MobileIDConfig(AppConfig):
    """Phones and what people decide on them."""

    name = "mobileid"
    verbose_name = "MobileID"

    def ready(self):
        # They need the models, which are there only now.
        from mobileid import event_types, metrics, receivers  # noqa: F401
        from mobileid.problems import BEFORE_THE_DOOR
        from mobileid.services import bulk_acts  # noqa: F401
        from reuseid.ingress import answers

        answers.use_codes("/mobileid/device/", BEFORE_THE_DOOR)
