from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from config.roles import write_roles


class BackOfficeConfig(AppConfig):
    """Wires what neither app may know of the other."""

    name = "config"
    label = "config"

    def ready(self):
        # They need the models, which are there only now.
        from config import checks  # noqa: F401
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
        # They need the models, which are there only now.
        import mobileid.admin  # noqa: F401
        import reuseid.admin  # noqa: F401
        from reuseid.admin.kit.extensions import registry
        from reuseid.admin.kit.texts.models import translate_models

        registry.hand_over(admin.site)
        translate_models("reuseid", "mobileid")
        admin.site.index_title = _("Today")
