from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate


class BackOfficeConfig(AppConfig):
    """Wires what neither app may know of the other."""

    name = "config"
    label = "config"

    def ready(self):
        from django.contrib.auth.signals import user_logged_in

        from config import browsers, checks  # noqa: F401
        from config.roles import write_roles

        post_migrate.connect(write_roles, dispatch_uid="config.roles")
        user_logged_in.connect(browsers.begin_session, dispatch_uid="config.browsers")


class AdminConfig(SimpleAdminConfig):
    """The admin of our own apps and no other's: the OAuth toolkit's would list live tokens."""

    def ready(self):
        super().ready()
        import_module("reuseid.admin")
        import_module("mobileid.admin")
        from django.contrib import admin
        from django.utils.translation import gettext_lazy as _

        from reuseid.admin.labels import translate_models

        translate_models("reuseid", "mobileid")
        admin.site.index_title = _("Today")
