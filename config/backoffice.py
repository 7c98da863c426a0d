"""The back office as a whole: django-unfold's settings, the side bar, the word in the corner."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import env


def _seen(*rights):
    """Shown to colleagues with any of the rights."""
    return lambda request: any(request.user.has_perm(right) for right in rights)


def _item(title, icon, app, model):
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _seen(f"{app}.view_{model}"),
    }


def _group(title, *items, collapsible=False):
    return {"title": title, "separator": True, "collapsible": collapsible, "items": list(items)}


GROUPS = [
    {"items": [{"title": _("Today"), "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
    _group(
        _("People"),
        _item(_("Users"), "person", "reuseid", "user"),
        _item(_("Devices"), "smartphone", "mobileid", "device"),
        _item(_("Operations"), "touch_app", "mobileid", "operation"),
        _item(_("Requests"), "how_to_reg", "reuseid", "approvalrequest"),
        _item(_("Bulk acts"), "checklist", "reuseid", "bulkrun"),
        _item(_("Exports"), "download", "reuseid", "export"),
        _item(_("Timeline"), "history", "reuseid", "trailentry"),
        _item(_("My saved views"), "bookmark", "reuseid", "savedview"),
    ),
    _group(
        _("Callbacks"),
        _item(_("Endpoints"), "webhook", "reuseid", "webhookendpoint"),
        _item(_("Deliveries"), "outbox", "reuseid", "delivery"),
        _item(_("Events"), "campaign", "reuseid", "event"),
        _item(_("Notices"), "notifications", "reuseid", "staffnotice"),
    ),
    _group(
        _("Set-up"),
        _item(_("Accounts"), "domain", "reuseid", "account"),
        _item(_("API clients"), "api", "reuseid", "client"),
        _item(_("Attribute catalogue"), "format_list_bulleted", "reuseid", "attributekey"),
        _item(_("Applications"), "app_shortcut", "mobileid", "application"),
        {
            "title": _("Try it"),
            "icon": "play_circle",
            "link": reverse_lazy("try"),
            "permission": _seen("mobileid.try_operation"),
        },
    ),
    _group(
        _("House"),
        _item(_("Colleagues"), "badge", "reuseid", "staff"),
        _item(_("Roles"), "shield_person", "auth", "group"),
        _item(_("Sign-ins"), "login", "reuseid", "staffsignin"),
    ),
    _group(
        _("Details"),
        _item(_("Attributes"), "label", "reuseid", "attribute"),
        _item(_("Former values"), "history_edu", "reuseid", "attributeversion"),
        _item(_("Proofings"), "verified_user", "reuseid", "proofing"),
        _item(_("Parts of exports"), "folder_zip", "reuseid", "exportpart"),
        _item(_("Rows of bulk acts"), "checklist_rtl", "reuseid", "bulkrow"),
        _item(_("Notes"), "sticky_note_2", "reuseid", "usernote"),
        _item(_("Access log"), "visibility", "reuseid", "useraccess"),
        _item(_("Revealed values"), "key_visualizer", "reuseid", "reveal"),
        _item(_("Evidence"), "gavel", "mobileid", "evidence"),
        _item(_("Trust anchors"), "anchor", "mobileid", "trustanchor"),
        _item(_("Signing keys"), "key", "mobileid", "signingkey"),
        _item(_("Channel keys"), "vpn_key", "mobileid", "channelkey"),
        _item(_("Challenges"), "casino", "mobileid", "nonce"),
        _item(_("Stored responses"), "mark_chat_read", "mobileid", "storedresponse"),
        _item(_("Trail seals"), "approval", "reuseid", "trailseal"),
        _item(_("Trail keys"), "key_vertical", "reuseid", "trailkey"),
        _item(_("Second factors"), "phonelink_lock", "reuseid", "secondfactor"),
        _item(_("Passkeys"), "passkey", "reuseid", "passkey"),
        _item(_("Recovery codes"), "password", "reuseid", "recoverycode"),
        _item(_("Attempts to send"), "send", "reuseid", "deliveryattempt"),
        _item(_("Events by hour"), "bar_chart", "reuseid", "eventcount"),
        _item(_("Deliveries by hour"), "timer", "reuseid", "deliverycount"),
        _item(_("Signs of life"), "ecg_heart", "reuseid", "heartbeat"),
        _item(_("Idempotency keys"), "repeat_one", "reuseid", "idempotencykey"),
        collapsible=True,
    ),
]


def navigation(request):
    """The side bar: only what the colleague may open."""
    return [group for group in (_only_seen(group, request) for group in GROUPS) if group["items"]]


def _only_seen(group, request):
    items = [item for item in group["items"] if item.get("permission", lambda request: True)(request)]
    return {**group, "items": items}


def environment(request):
    """The word in the top corner: red in production, orange where ENVIRONMENT_NAME says that it is another."""
    from django.conf import settings  # They import this module.

    name = settings.ENVIRONMENT_NAME
    if settings.PRODUCTION:
        return [name, "warning"] if name else [_("Production"), "danger"]
    return [name or _("Development"), "info"]


UNFOLD = {
    "SITE_TITLE": env.text("BACK_OFFICE_TITLE", "ReuseID / MobileID"),
    "SITE_HEADER": env.text("BACK_OFFICE_TITLE", "ReuseID / MobileID"),
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": None,
    "SITE_SYMBOL": "fingerprint",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("reuseid/favicon.svg")}],
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ACCOUNT": {
        "navigation": [
            {"title": _("My sign-in"), "link": reverse_lazy("admin:me")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ]
    },
    "LOGIN": {"form": "reuseid.admin.auth.password.LoginForm"},
    "ENVIRONMENT": "config.backoffice.environment",
    "DASHBOARD_CALLBACK": "reuseid.admin.kit.first_page.dashboard",
    "STYLES": [lambda request: static("reuseid/backoffice.css")],
    "SCRIPTS": [
        lambda request: static("reuseid/backoffice.js"),
        lambda request: static("reuseid/keyboard.js"),
    ],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
    # Answered by reuseid.admin.kit.command.
    "COMMAND": {"search_models": False, "show_history": False},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "config.backoffice.navigation",
    },
}
