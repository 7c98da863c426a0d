"""Every changing act of the back office: what it does, whether it asks for the second factor again, and that it does.

A new act stands here with its effect, or these tests fail; so does a service that an act begins to call.
"""

import ast
import inspect
import pkgutil
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import get_resolver

from mobileid.models import Application, Device
from reuseid.actors import SYSTEM
from reuseid.admin.kit import stepup
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.service_forms import EditAdmin
from reuseid.models import Account, AttributeKey, Client, WebhookEndpoint
from reuseid.services.webhooks import endpoints
from tests import factories
from tests.device_factories import make_application, make_device
from tests.staff_factories import REASON, code_of, page

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[4]
E = Effect

# Acts behind a dialog: app_model_act.
ACTS = {
    "reuseid_user_lock": E.HOLDS,
    "reuseid_user_unlock": E.RELEASES,
    "reuseid_user_deactivate": E.FOR_GOOD,
    "reuseid_user_erase": E.FOR_GOOD,
    "reuseid_user_verify_caller": E.NOTES,
    "reuseid_user_note": E.NOTES,
    "reuseid_user_register": E.GIVES_SECRET,
    "reuseid_user_lock_devices": E.HOLDS,
    "reuseid_user_unlock_devices": E.RELEASES,
    "reuseid_user_deactivate_devices": E.FOR_GOOD,
    "reuseid_user_export": E.HANDS_OUT_MASKED,
    "reuseid_user_export_all": E.UNMASKS,
    "reuseid_trailentry_export": E.HANDS_OUT_MASKED,
    "reuseid_attribute_reveal": E.UNMASKS,
    "reuseid_proofing_reveal": E.UNMASKS,
    "reuseid_approvalrequest_approve": E.FOR_GOOD,
    "reuseid_approvalrequest_reject": E.ENDS_OPEN,
    "reuseid_approvalrequest_withdraw": E.ENDS_OPEN,
    "reuseid_bulkrun_carry_out": E.MANY,
    "reuseid_bulkrun_stop": E.ENDS_OPEN,
    "mobileid_device_lock": E.HOLDS,
    "mobileid_device_unlock": E.RELEASES,
    "mobileid_device_deactivate": E.FOR_GOOD,
    "mobileid_trustanchor_announce": E.TRUSTS,
    "mobileid_trustanchor_promote": E.FOR_GOOD,
    "mobileid_trustanchor_take_back": E.TRUSTS,
    "mobileid_operation_reveal": E.UNMASKS,
    "mobileid_operation_cancel": E.ENDS_OPEN,
    "reuseid_delivery_resend": E.SENDS_AGAIN,
    "reuseid_webhookendpoint_create": E.GIVES_SECRET,
    "reuseid_webhookendpoint_edit": E.REDIRECTS,
    "reuseid_webhookendpoint_rotate": E.GIVES_SECRET,
    "reuseid_webhookendpoint_remove": E.FOR_GOOD,
    "reuseid_webhookendpoint_pause": E.HOLDS,
    "reuseid_webhookendpoint_resume": E.SENDS_AGAIN,
    "reuseid_webhookendpoint_test": E.SENDS_AGAIN,
    "reuseid_webhookendpoint_resend_since": E.SENDS_AGAIN,
    "reuseid_webhookendpoint_resend_failed": E.SENDS_AGAIN,
    "reuseid_client_create": E.GIVES_SECRET,
    "reuseid_client_scopes": E.OPENS,
    "reuseid_client_rotate": E.GIVES_SECRET,
    "reuseid_client_block": E.HOLDS,
    "reuseid_client_unblock": E.OPENS,
    "reuseid_account_block": E.MANY,
    "reuseid_account_unblock": E.OPENS,
    "reuseid_staff_create": E.GIVES_SECRET,
    "reuseid_staff_access": E.OPENS,
    "reuseid_staff_password": E.GIVES_SECRET,
    "reuseid_staff_reset_factor": E.OPENS,
    "reuseid_staffnotice_mark": E.NOTES,
    "reuseid_savedview_create": E.NOTES,
    "reuseid_savedview_remove": E.NOTES,
}

# Forms on a page: adding and changing.
EDITS = {Account: E.NAMES, AttributeKey: E.UNMASKS, Application: E.LOWERS_BAR}

# Every other address that takes a POST or answers with something that pages do not show, and why it asks for no more.
OTHERS = {
    "login": "the first step of signing in",
    "logout": "ends the session",
    "sign_in_code": "the second step itself",
    "sign_in_passkey": "the second step itself",
    "sign_in_password": "an own password, right after both steps",
    "sign_in_enrol": "the first factor, right after the password",
    "sign_in_enrol_passkey": "the first factor, right after the password",
    "passkey_options": "a challenge",
    "passkey_check": "the check that strong acts ask for",
    "passkey_new_options": "a challenge",
    "password_change": "asks for the present password",
    "me": "one's own sign-in, to read",
    "me_app": "strong: its form asks (StepUp)",
    "me_codes": "strong: its form asks (StepUp)",
    "me_passkey_add": "strong: its form asks (StepUp)",
    "me_passkey_remove": "strong: its form asks (StepUp)",
    "me_passkey_rename": "a name",
    "set_language": "one's own language",
    "index": "to read",
    "live": "to read",
    "jsi18n": "words for scripts",
    "autocomplete": "answers nobody: no admin offers it",
    "app_list": "to read",
    "search": "the theme's, behind our own Ctrl+K",
    "try": "to read",
    "try-commands": "shows the calls that a form stands for",
    "try-start": "an operation for a test user",
    "try-user": "a test user",
    "try-watch": "to read",
    "try-live": "to read",
    "try-cancel": "a test user's operation",
    "reuseid_bulkrun_add": "a dry run: carrying it out is the act",
    "reuseid_bulkrun_progress": "to read",
    "reuseid_bulkrun_results": "what the page shows, as CSV",
    "reuseid_export_progress": "to read",
    "reuseid_export_download": "asked for before, by the same colleague, who asked with the second factor",
    "mobileid_operation_document": "while a minute lasts that was asked for with the second factor",
}

# What the back office's services do. The effect of the act that calls one is as strong.
SERVICES = {
    "mobileid.services.all_devices": {
        "deactivate_all": E.FOR_GOOD,
        "lock_all": E.HOLDS,
        "unlock_all": E.RELEASES,
    },
    "mobileid.services.applications": {"change_application": E.LOWERS_BAR, "create_application": E.LOWERS_BAR},
    "mobileid.services.devices": {"deactivate": E.FOR_GOOD, "lock": E.HOLDS, "unlock": E.RELEASES},
    "mobileid.services.completion": {"cancel": E.ENDS_OPEN},
    "mobileid.services.operations": {"start_authentication": E.STARTS, "start_signature": E.STARTS},
    "mobileid.services.registration.by_integrator": {"start_registration": E.GIVES_SECRET},
    "mobileid.services.content_reveal": {"download": E.UNMASKS, "reveal": E.UNMASKS},
    "mobileid.services.keys.trust_anchors": {"announce": E.TRUSTS, "promote": E.FOR_GOOD, "take_back": E.TRUSTS},
    "reuseid.services.accounts": {"block": E.MANY, "create": E.NAMES, "unblock": E.OPENS, "update": E.NAMES},
    "reuseid.services.people.attribute_keys": {"change": E.UNMASKS, "create": E.UNMASKS},
    "reuseid.services.jobs.bulk": {"draft": E.ASKS, "start": E.MANY, "stop": E.ENDS_OPEN},
    "reuseid.services.people.caller_verification": {"verified": E.NOTES},
    "reuseid.services.clients": {
        "block": E.HOLDS,
        "create": E.GIVES_SECRET,
        "rotate_secret": E.GIVES_SECRET,
        "set_scopes": E.OPENS,
        "unblock": E.OPENS,
    },
    "reuseid.services.webhooks.deliveries": {
        "resend": E.SENDS_AGAIN,
        "resend_failed": E.SENDS_AGAIN,
        "resend_since": E.SENDS_AGAIN,
    },
    "reuseid.services.jobs.exports": {"ask": E.HANDS_OUT_MASKED, "download": E.HANDS_OUT_MASKED},
    "reuseid.services.audit.access": {"reveal": E.UNMASKS, "viewed": E.NOTES},
    "reuseid.services.audit.searches": {"may_compare": E.NOTES, "searched": E.NOTES},
    "reuseid.services.people.notes": {"add": E.NOTES},
    "reuseid.services.notices": {"mark_seen": E.NOTES},
    "reuseid.services.staff.passkeys": {"add": E.OPENS, "remove": E.FOR_GOOD, "rename": E.NAMES},
    "reuseid.services.people.approvals": {
        "approve": E.FOR_GOOD,
        "ask": E.FOR_GOOD,
        "reject": E.ENDS_OPEN,
        "withdraw": E.ENDS_OPEN,
    },
    "reuseid.services.staff.saved_views": {"keep": E.NOTES, "remove": E.NOTES},
    "reuseid.services.staff.second_factors": {"enrol": E.OPENS, "new_codes": E.GIVES_SECRET, "reset": E.OPENS},
    "reuseid.services.staff.members": {"change": E.OPENS, "create": E.GIVES_SECRET, "new_password": E.GIVES_SECRET},
    "reuseid.services.people.users": {"create": E.STARTS, "lock": E.HOLDS, "unlock": E.RELEASES},
    "reuseid.services.webhooks.endpoints": {
        "create": E.GIVES_SECRET,
        "delete": E.FOR_GOOD,
        "pause": E.HOLDS,
        "resume": E.SENDS_AGAIN,
        "rotate_secret": E.GIVES_SECRET,
        "send_test": E.SENDS_AGAIN,
        "update": E.REDIRECTS,
    },
}

# Functions beside the acts that call a strong service, and what asks for the second factor.
BESIDE = {
    ("mobileid.admin.applications", "create", "create_application"): "EDITS",
    ("mobileid.admin.applications", "change", "change_application"): "EDITS",
    ("reuseid.admin.pages.catalogue", "create", "create"): "EDITS",
    ("reuseid.admin.pages.catalogue", "change", "change"): "EDITS",
    ("reuseid.admin.kit.reveal", "", "reveal"): "the act reveal",
    ("mobileid.admin.operations", "", "reveal"): "the act reveal",
    ("mobileid.admin.contents", "download", "download"): "OTHERS",
    ("mobileid.admin.try_forms", "start", "start_registration"): "OTHERS",
    ("reuseid.admin.auth.passkeys", "_add", "add"): "OTHERS",
    ("reuseid.admin.auth.passkeys", "remove", "remove"): "OTHERS",
    ("reuseid.admin.auth.sign_in", "_set_up", "enrol"): "OTHERS",
    ("reuseid.admin.auth.sign_in", "new_codes", "new_codes"): "OTHERS",
}


def all_acts():
    for model_admin in admin.site._registry.values():
        yield from model_admin._get_base_actions_list()
        yield from model_admin._get_base_actions_detail()


def test_every_act_stands_here_with_its_effect():
    assert {act.action_name: act.method.effect for act in all_acts()} == ACTS


def test_a_strong_act_asks_and_no_other():
    asks = {act.action_name: issubclass(act.dialog["form_class"], stepup.StepUp) for act in all_acts()}
    assert asks == {name: effect.strong for name, effect in ACTS.items()}


def test_every_form_on_a_page_stands_here():
    edits = {model: found.effect for model, found in admin.site._registry.items() if isinstance(found, EditAdmin)}
    assert edits == EDITS


def names(patterns=None, prefix=""):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from names(pattern.url_patterns, route)
        elif route.startswith("admin/") and pattern.name:
            yield pattern.name


def test_every_other_address_stands_here_with_its_reason():
    kept = {
        f"{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in admin.site._registry
        for page in ("changelist", "add", "change", "history", "delete")
    }
    kept.remove("reuseid_bulkrun_add")
    assert set(names()) - kept - set(ACTS) == set(OTHERS)


def calls(path):
    """``(function, act or None, module, service)`` for each changing service that a module of the admin names."""
    tree = ast.parse(path.read_text())
    imported = {
        name.asname or name.name: f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and ".services" in (node.module or "")
        for name in node.names
    }

    def walk(node, owner, act):
        for child in ast.iter_child_nodes(node):
            inner, inside = owner, act
            if isinstance(child, ast.FunctionDef) and act is None:
                inner = child.name
                inside = child.name if any("dialog_action" in ast.dump(one) for one in child.decorator_list) else None
            if isinstance(child, ast.Assign) and ast.unparse(child.value).startswith("row_act("):
                inside = ast.unparse(child.targets[0])
            if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id in imported:
                module = imported[child.value.id]
                if changes(getattr(pkgutil.resolve_name(module), child.attr, None)):
                    yield owner, act, module, child.attr
            yield from walk(child, inner, inside)

    yield from walk(tree, "", None)


def changes(service):
    """A function that is told, by keyword alone, who acts."""
    if not inspect.isfunction(service):
        return False
    found = inspect.signature(service).parameters.values()
    return any(one.kind is one.KEYWORD_ONLY and one.name == "actor" for one in found)


CALLS = [
    (".".join(path.relative_to(ROOT).with_suffix("").parts), *call)
    for app in ("reuseid", "mobileid")
    for path in sorted((ROOT / app / "admin").rglob("*.py"))
    for call in calls(path)
]


def test_every_changing_service_that_is_called_stands_here():
    named = {(module, name) for module, found in SERVICES.items() for name in found}
    assert {(module, name) for _place, _owner, _act, module, name in CALLS} == named


def test_an_act_is_as_strong_as_what_it_calls():
    effects = {}
    for model_admin in admin.site._registry.values():
        for act in [*model_admin._get_base_actions_list(), *model_admin._get_base_actions_detail()]:
            name = act.method.original_function_name
            # A method stands in its own module, one that `row_act` made in that of its class.
            classes = [one for one in type(model_admin).__mro__ if name in vars(one)]
            for place in (inspect.unwrap(act.method), *classes):
                effects[place.__module__, name] = act
    beside = set()
    for place, owner, act, module, name in CALLS:
        if not SERVICES[module][name].strong:
            continue
        if act is None:
            beside.add((place, owner, name))
        else:
            assert effects[place, act].method.effect.strong, (place, act, name)
    assert beside == set(BESIDE)


# It really asks


@pytest.fixture
def scene(account, user):
    """A row for each of the acts below."""
    endpoint = endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)
    client = factories.make_client(account)
    application = make_application(account)
    return {
        "endpoint": endpoint,
        "client": client,
        "application": application,
        "device": make_device(user, application),
        "key": AttributeKey.objects.create(account=account, name="tier"),
    }


URL = "https://93.184.216.34/elsewhere"
STRONG = {
    "another address": ("integrator", "endpoint", "edit", {"url": URL}),
    "new keys": ("integrator", "endpoint", "rotate", {**REASON, "overlap": "24"}),
    "wider scopes": ("integrator", "client", "scopes", {**REASON, "scopes": ["users:read", "users:write"]}),
    "a new secret": ("integrator", "client", "rotate", REASON),
    "a phone for good": ("senior", "device", "deactivate", REASON),
    "what is masked": ("integrator", "key", "change", {"type": "string", "max_length": 9, "normalisation": "text"}),
    "what a phone has to prove": (
        "integrator",
        "application",
        "change",
        {
            "name": "Bank app",
            "auth_methods": ["DEVICE"],
            "min_suite": 1,
            "pin_min_length": 4,
            "pin_max_length": 8,
            "pin_type": "numeric",
        },
    ),
}


@pytest.mark.parametrize("what", STRONG)
def test_minutes_later_nothing_changes_without_the_second_factor(what, scene, request, late):
    name, kind, act, sent = STRONG[what]
    browser = late(request.getfixturevalue(name))
    row = scene[kind]
    before = {**type(row).objects.values().get(pk=row.pk)}
    sent = {"_form_submitted": "on", **sent}
    assert stepup.FIELD in browser.get(page(row, act)).content.decode()
    assert stepup.FIELD in browser.post(page(row, act), sent).content.decode()
    assert {**type(row).objects.values().get(pk=row.pk)} == before
    answer = browser.post(page(row, act), {**sent, stepup.FIELD: code_of(browser.staff)})
    assert stepup.FIELD not in answer.content.decode()
    assert {**type(row).objects.values().get(pk=row.pk)} != before


def test_a_new_endpoint_asks_too(integrator, account, late):
    browser = late(integrator)
    new = "/admin/reuseid/webhookendpoint/new/"
    sent = {"account": str(account.pk), "url": URL, "_form_submitted": "on"}
    assert stepup.FIELD in browser.post(new, sent).content.decode()
    assert not WebhookEndpoint.objects.exists()
    browser.post(new, {**sent, stepup.FIELD: code_of(browser.staff)})
    assert WebhookEndpoint.objects.get().url == URL


def test_who_was_shut_out_is_let_in_again_with_the_second_factor_alone(integrator, account, late):
    client = factories.make_client(account)
    integrator.post(page(client, "block"), REASON)
    browser = late(integrator)
    browser.post(page(client, "unblock"), REASON)
    assert Client.objects.get(pk=client.pk).status == "BLOCKED"


def test_a_lock_asks_for_nothing_more(support, user, late):
    device = make_device(user, make_application(user.account))
    late(support).post(page(device, "lock"), REASON)
    assert Device.objects.get(pk=device.pk).status == "LOCKED"
