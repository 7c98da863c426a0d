"""What a quiet day lacks, for the pages that show it: bulk acts, exports, tries, evidence, the access log, seals."""

from dataclasses import dataclass

from django.utils import timezone

from mobileid.models import Application, Operation
from mobileid.services import applications
from reuseid.actors import SYSTEM, Actor
from reuseid.models import Attribute, BulkRun, Export, SavedView, StaffNotice
from reuseid.services import notices
from reuseid.services.audit import access, seals
from reuseid.services.jobs import bulk, exports
from reuseid.services.people import notes, proofings, users
from reuseid.services.people.attributes import Record
from reuseid.services.staff import saved_views, second_factors, sign_ins
from tests import factories, phone_factories
from tests.browser.dataset import Scene
from tests.staff_factories import make_factor

REFERENCES = ["customer-10482", "customer-10977", "customer-99999"]


@dataclass
class More:
    """Rows by name."""

    draft: BulkRun
    done: BulkRun
    export: Export
    tried: Operation
    view: SavedView
    notice: StaffNotice
    application: Application
    attribute: Attribute


def more(scene: Scene) -> More:
    """To a day at Nordbank."""
    kim, anna, account = scene.staff["kim"], scene.people["anna"], scene.account
    terms = {
        "actor": Actor.staff(kim),
        "kind": "user",
        "act": "unlock",
        "reason": "RESOLVED",
        "note": "The alarm was false.",
    }
    draft, run = (bulk.draft(account, REFERENCES, **terms) for _ in range(2))
    done = bulk.start(run, actor=Actor.staff(kim))
    bulk.carry_out_owed()
    export = exports.ask(
        account, actor=Actor.staff(kim), kind="users", reason="COMPLIANCE", filters={"status": "LOCKED"}
    )
    exports.make_owed()
    application, tried = _tries(account)
    _around(anna, kim)
    _running(scene)
    return More(
        draft=draft,
        done=done,
        export=export,
        tried=tried,
        view=saved_views.keep(
            actor=Actor.staff(kim), model="reuseid.user", name="Locked people", query="status=LOCKED"
        ),
        notice=notices.tell(scene.endpoint, "webhook_failing", "It fails: somebody should look after it."),
        application=application,
        attribute=Attribute.objects.get(user=anna, name="phone"),
    )


def _tries(account):
    """A test user whose phone has approved one operation and is asked for another."""
    tess = factories.make_user(account, external_ref="tess", segment="test")
    application = phone_factories.make_application(account, "Test app")
    looks_of_it = {"brand_name": "Nordbank", "brand_colour": "#0f766e", "support_phone": "+358 9 123 456"}
    applications.change_application(application, actor=SYSTEM, **looks_of_it)
    phone = phone_factories.make_phone(tess, application, name="Test phone").device
    approved, _shown = phone_factories.ask_to_sign(tess)
    phone.start_operation(str(approved.pk)).approve(pin=phone_factories.PIN)
    return application, phone_factories.ask(tess, binding="QR")[0]


def _around(anna, kim):
    """What colleagues know and did."""
    actor = Actor.staff(kim)
    facts = {"method": "eid", "provider": "Suomi.fi", "assurance_level": "high", "reference": "FI-2026-118"}
    proofings.record(anna, actor=SYSTEM, performed_at=timezone.now(), **facts)
    users.update(anna, actor=SYSTEM, attributes={"email": Record("anna.new@example.com")})
    notes.add(anna, "Prefers to be called after six.\nSpeaks Swedish.", actor=actor)
    access.viewed(anna, actor=Actor.staff(kim))
    make_factor(kim)
    second_factors.new_codes(kim, actor=Actor.staff(kim))
    for outcome in ("PASSWORD_GIVEN", "SIGNED_IN"):
        sign_ins.record(kim, outcome, method="APP", address="192.0.2.7")
    sign_ins.record(None, "PASSWORD_REFUSED", address="192.0.2.9")


def _running(scene):
    """What the service keeps about itself."""
    seals.seal()
    api = factories.rest_client(factories.make_client(scene.account, name="Core"))
    api.post("/reuseid/core/users", {"externalRef": "customer-12000"}, headers={"Idempotency-Key": "once"})
