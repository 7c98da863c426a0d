"""The main pages, by name: who looks at them and where they are."""

from mobileid.models import Device, Operation
from reuseid.models import (
    Account,
    AttributeKey,
    Client,
    Delivery,
    Event,
    Request,
    Staff,
    TrailEntry,
    User,
    WebhookEndpoint,
)
from tests.browser.scene import Scene
from tests.reuseid.admin.cast import page, rows_of


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
        "requests": ("mia", rows_of(Request)),
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
