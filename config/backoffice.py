"""The back office as a whole: django-unfold's settings, the side bar, the first page, Ctrl+K."""

from django.templatetags.static import static
from django.urls import reverse_lazy

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
    {"items": [{"title": "Today", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
    _group(
        "People",
        _item("Users", "person", "reuseid", "user"),
        _item("Devices", "smartphone", "mobileid", "device"),
        _item("Operations", "touch_app", "mobileid", "operation"),
        _item("Many at once", "checklist", "reuseid", "bulkrun"),
        _item("Exports", "download", "reuseid", "export"),
        _item("Timeline", "history", "reuseid", "trailentry"),
    ),
    _group(
        "Callbacks",
        _item("Endpoints", "webhook", "reuseid", "webhookendpoint"),
        _item("Deliveries", "outbox", "reuseid", "delivery"),
        _item("Events", "campaign", "reuseid", "event"),
        _item("Notices", "notifications", "reuseid", "staffnotice"),
    ),
    _group(
        "Set-up",
        _item("Accounts", "domain", "reuseid", "account"),
        _item("API clients", "api", "reuseid", "client"),
        _item("Attribute catalogue", "format_list_bulleted", "reuseid", "attributekey"),
        _item("Applications", "app_shortcut", "mobileid", "application"),
    ),
    _group(
        "House",
        _item("Colleagues", "badge", "reuseid", "staff"),
        _item("Roles", "shield_person", "auth", "group"),
    ),
    _group(
        "Details",
        _item("Attributes", "label", "reuseid", "attribute"),
        _item("Former values", "history_edu", "reuseid", "attributeversion"),
        _item("Proofings", "verified_user", "reuseid", "proofing"),
        _item("Parts of exports", "folder_zip", "reuseid", "exportpart"),
        _item("Rows of bulk acts", "checklist_rtl", "reuseid", "bulkrow"),
        _item("Evidence", "gavel", "mobileid", "evidence"),
        _item("Trust anchors", "anchor", "mobileid", "trustanchor"),
        _item("Signing keys", "key", "mobileid", "signingkey"),
        _item("Channel keys", "vpn_key", "mobileid", "channelkey"),
        _item("Challenges", "casino", "mobileid", "nonce"),
        _item("Kept answers", "mark_chat_read", "mobileid", "messageanswer"),
        _item("Trail seals", "approval", "reuseid", "trailseal"),
        _item("Trail keys", "key_vertical", "reuseid", "trailkey"),
        _item("Attempts to send", "send", "reuseid", "deliveryattempt"),
        _item("Signs of life", "ecg_heart", "reuseid", "heartbeat"),
        _item("Idempotency keys", "repeat_one", "reuseid", "idempotencykey"),
        collapsible=True,
    ),
]


def navigation(request):
    """The side bar: only what the colleague may open."""
    return [group for group in (_only_seen(group, request) for group in GROUPS) if group["items"]]


def _only_seen(group, request):
    items = [item for item in group["items"] if item.get("permission", lambda _: True)(request)]
    return {**group, "items": items}


def dashboard(request, context):
    """The first page: one search box, numbers, operations by hour, endpoints that fail."""
    from mobileid.admin import dashboard as mobileid_page
    from reuseid.admin import dashboard as reuseid_page
    from reuseid.admin.cells import list_of
    from reuseid.models import User

    context["find_url"] = list_of(User) if request.user.has_perm("reuseid.view_user") else ""
    context["cards"] = [*reuseid_page.cards(request), *mobileid_page.cards(request)]
    context["panels"] = [*mobileid_page.charts(request), *reuseid_page.tables(request)]
    return context


def find(request, term):
    """Ctrl+K: the people behind an id, a reference or an attribute's value."""
    from unfold.dataclasses import SearchResult

    from reuseid.admin.cells import page_of
    from reuseid.admin.scope import scoped
    from reuseid.admin.search import find_people
    from reuseid.models import User

    if not request.user.has_perm("reuseid.view_user"):
        return []
    found, _tried = find_people(request, request.GET.get("s", term))
    people = scoped(User.objects.filter(pk__in=set(found)), request.user, "account").select_related("account")[:20]
    return [
        SearchResult(
            title=user.external_ref or str(user.pk),
            description=f"{user.get_status_display()} user of {user.account.name}",
            link=page_of(User, user.pk),
            icon="person",
        )
        for user in people
    ]


def environment(request):
    """The word in the top corner; red where it counts."""
    from django.conf import settings

    return ["Production", "danger"] if settings.PRODUCTION else ["Development", "info"]


UNFOLD = {
    "SITE_TITLE": env.text("BACK_OFFICE_TITLE", "ReuseID / MobileID"),
    "SITE_HEADER": env.text("BACK_OFFICE_TITLE", "ReuseID / MobileID"),
    "SITE_SUBHEADER": "Back office",
    "SITE_URL": None,
    "SITE_SYMBOL": "fingerprint",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("reuseid/favicon.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "LOGIN": {"form": "config.login.LoginForm"},
    "ENVIRONMENT": "config.backoffice.environment",
    "DASHBOARD_CALLBACK": "config.backoffice.dashboard",
    "STYLES": [lambda request: static("reuseid/backoffice.css")],
    "SCRIPTS": [lambda request: static("reuseid/backoffice.js")],
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
    "COMMAND": {"search_models": False, "search_callback": "config.backoffice.find", "show_history": False},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "config.backoffice.navigation",
    },
}
