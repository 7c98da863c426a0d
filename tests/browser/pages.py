"""Pages by name: who looks at them and where they are."""

from django.contrib import admin
from django.contrib.auth.models import Group

from mobileid.models import Application, Device, Evidence, Operation
from reuseid.models import (
    Account,
    ApprovalRequest,
    AttributeKey,
    BulkRun,
    Client,
    Delivery,
    Event,
    Export,
    Proofing,
    SavedView,
    Staff,
    StaffNotice,
    StaffSignIn,
    TrailEntry,
    User,
    WebhookEndpoint,
)
from tests.browser.dataset import Scene
from tests.browser.extra_data import More
from tests.staff_factories import page, rows_of


def main_pages(scene: Scene) -> dict:
    """``{name: (colleague, address)}``."""
    anna, ben = scene.people["anna"], scene.people["ben"]
    return {
        "first page": ("kim", "/admin/"),
        "first page of the administrator": ("root", "/admin/"),
        "people": ("sam", rows_of(User)),
        "people found by number": ("sam", rows_of(User, q="+358401234567")),
        "nobody found": ("sam", rows_of(User, q="nobody")),
        "person": ("sam", page(anna)),
        "locked person": ("sam", page(ben)),
        "attributes": ("kim", page(anna, tab="attributes")),
        "proofings": ("kim", page(anna, tab="proofings")),
        "devices of a person": ("kim", page(anna, tab="devices")),
        "operations of a person": ("kim", page(anna, tab="operations")),
        "timeline": ("kim", page(anna, tab="timeline")),
        "callbacks of a person": ("kim", page(anna, tab="callbacks")),
        "requests of a person": ("kim", page(scene.people["clara"], tab="requests")),
        "notes": ("kim", page(anna, tab="notes")),
        "who looked": ("audrey", page(anna, tab="looked")),
        "requests": ("mia", rows_of(ApprovalRequest)),
        "request": ("mia", page(scene.request)),
        "devices": ("sam", rows_of(Device)),
        "device": ("sam", page(scene.devices["anna"])),
        "operations": ("sam", rows_of(Operation)),
        "operation": ("sam", page(scene.operations["ended"])),
        "trail": ("audrey", rows_of(TrailEntry)),
        "trail line": ("audrey", page(TrailEntry.objects.order_by("-id").first())),
        "deliveries": ("ines", rows_of(Delivery)),
        "delivery": ("ines", page(scene.delivery)),
        "events": ("ines", rows_of(Event)),
        "event": ("ines", page(Event.objects.order_by("-pk").first())),
        "endpoints": ("ines", rows_of(WebhookEndpoint)),
        "endpoint": ("ines", page(scene.endpoint)),
        "accounts": ("adam", rows_of(Account)),
        "account": ("adam", page(scene.account)),
        "new account": ("root", "/admin/reuseid/account/add/"),
        "API clients": ("ines", rows_of(Client)),
        "API client": ("ines", page(Client.objects.first())),
        "attribute catalogue": ("ines", rows_of(AttributeKey)),
        "attribute key": ("ines", page(AttributeKey.objects.first())),
        "colleagues": ("adam", rows_of(Staff)),
        "colleague": ("adam", page(scene.staff["sam"])),
        "sign in": (None, "/admin/login/"),
    }


def other_pages(scene: Scene, more: More) -> dict:
    """``{name: (colleague, address)}`` of what is opened less often."""
    return {
        "bulk acts": ("kim", rows_of(BulkRun)),
        "new bulk act": ("kim", "/admin/reuseid/bulkrun/add/"),
        "dry run": ("kim", page(more.draft)),
        "bulk act carried out": ("kim", page(more.done)),
        "exports": ("kim", rows_of(Export)),
        "export": ("kim", page(more.export)),
        "export of a colleague": ("mia", page(more.export)),
        "try it": ("ines", "/admin/try/"),
        "watched operation": ("ines", f"/admin/try/{more.tried.pk}/"),
        "saved views": ("kim", rows_of(SavedView)),
        "saved view": ("kim", page(more.view)),
        "list with a saved view": ("kim", rows_of(User, status="LOCKED")),
        "notices": ("ines", rows_of(StaffNotice)),
        "notice": ("ines", page(more.notice)),
        "applications": ("ines", rows_of(Application)),
        "application": ("ines", page(more.application)),
        "application, to read": ("sam", page(more.application)),
        "new application": ("ines", "/admin/mobileid/application/add/"),
        "attribute": ("kim", page(more.attribute)),
        "proofing": ("kim", page(Proofing.objects.first())),
        "evidence": ("kim", page(Evidence.objects.first())),
        "sign-ins": ("adam", rows_of(StaffSignIn)),
        "sign-ins of a colleague": ("adam", page(scene.staff["kim"], tab="sign-ins")),
        "activity of a colleague": ("adam", page(scene.staff["kim"], tab="activity")),
        "roles": ("adam", rows_of(Group)),
        "role": ("adam", page(Group.objects.get(name="Support"))),
        "my sign-in": ("sam", "/admin/me/"),
        "new phone of my own": ("sam", "/admin/me/app/"),
        "new recovery codes": ("sam", "/admin/me/codes/"),
        "own password": ("sam", "/admin/password_change/"),
        "not allowed": ("sam", rows_of(BulkRun)),
    }


def all_pages(scene: Scene, more: More) -> dict:
    """All of these, and every list that is not among them."""
    named = main_pages(scene) | other_pages(scene, more)
    seen = {address for _who, address in named.values()}
    lists = {f"list of {model._meta.verbose_name_plural}": rows_of(model) for model in admin.site._registry}
    return named | {name: ("root", address) for name, address in lists.items() if address not in seen}
