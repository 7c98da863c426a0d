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

        from config import browsers, checks, login  # noqa: F401
        from config.roles import write_roles

        post_migrate.connect(write_roles, dispatch_uid="config.roles")
        user_logged_in.connect(browsers.begin_session, dispatch_uid="config.browsers")
        user_logged_in.connect(login.keep_password, dispatch_uid="config.login.password")
        user_login_failed.connect(login.keep_refusal, dispatch_uid="config.login.refusal")
        user_logged_out.connect(login.keep_end, dispatch_uid="config.login.end")


class AdminConfig(SimpleAdminConfig):
    """The admin of our own apps and no other's: the OAuth toolkit's would list live tokens."""

    default_site = "reuseid.admin.site.BackOfficeSite"

    def ready(self):
        super().ready()
        import_module("reuseid.admin")
        import_module("mobileid.admin")
        from django.contrib import admin
        from django.utils.translation import gettext_lazy as _

        from reuseid.admin.labels import translate_models

        translate_models("reuseid", "mobileid")
        admin.site.index_title = _("Today")
