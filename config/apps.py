from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate


class BackOfficeConfig(AppConfig):
    """Wires what neither app may know of the other."""

    name = "config"
    label = "config"

    def ready(self):
        from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

        from config import checks  # noqa: F401
        from config.roles import write_roles
        from reuseid.admin.auth import password
        from reuseid.middleware import browsers

        post_migrate.connect(write_roles, dispatch_uid="config.roles")
        user_logged_in.connect(browsers.begin_session, dispatch_uid="reuseid.middleware.browsers")
        user_logged_in.connect(password.keep_password, dispatch_uid="reuseid.admin.auth.password.password")
        user_login_failed.connect(password.keep_refusal, dispatch_uid="reuseid.admin.auth.password.refusal")
        user_logged_out.connect(password.keep_end, dispatch_uid="reuseid.admin.auth.password.end")


class AdminConfig(SimpleAdminConfig):
    """The admin of our own apps and no other's: the OAuth toolkit's would list live tokens."""

    default_site = "reuseid.admin.auth.site.BackOfficeSite"

    def ready(self):
        super().ready()
        import_module("reuseid.admin")
        import_module("mobileid.admin")
        from django.contrib import admin
        from django.utils.translation import gettext_lazy as _

        from reuseid.admin.kit.texts.models import translate_models

        translate_models("reuseid", "mobileid")
        admin.site.index_title = _("Today")
