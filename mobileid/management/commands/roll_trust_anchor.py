"""``manage.py roll_trust_anchor ACCOUNT``: the key that an account's apps pin is replaced (docs/operating.md)."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mobileid.models import KeyStatus, TrustAnchor
from mobileid.services.keys import trust_anchors
from reuseid.actors import Actor, ActorKind
from reuseid.errors import ServiceError
from reuseid.models import Account
from reuseid.normalisation import as_uuid

ACTS = {
    "announce": "Make the next one and name it in the key documents.",
    "promote": "Sign with the announced one from now on.",
    "take_back": "Do without the announced one.",
}
OPERATOR = Actor(ActorKind.SYSTEM, "manage.py roll_trust_anchor")


class Command(BaseCommand):
    """Without an act, shows where the roll-over stands; an act exits with 1 and one line when it is refused."""

    help = "Show an account's trust anchors, or announce the next one, promote it, or take it back."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("account", help="Name or id of the account.")
        act = parser.add_mutually_exclusive_group()
        for name, text in ACTS.items():
            act.add_argument(f"--{name.replace('_', '-')}", dest="act", action="store_const", const=name, help=text)
        parser.add_argument("--reason", default="OTHER", help="A code of REASONS; OTHER unless given.")
        parser.add_argument("--note", default="", help="Why; needed with OTHER and with --early.")
        parser.add_argument(
            "--early", action="store_true", help="Promote within 48 hours: phones that have not learned of it fail."
        )

    def handle(self, *args, account, act, reason, note, early, **options):
        """One act, then how things stand."""
        found = Account.objects.filter(name=account).first() or Account.objects.filter(pk=as_uuid(account)).first()
        if found is None:
            raise CommandError(f"There is no account {account}.")
        if early and act != "promote":
            raise CommandError("--early goes with --promote.")
        if act:
            try:
                self._act(found, act, {"reason": reason, "note": note} | ({"early": True} if early else {}))
            except ServiceError as error:
                params = "; ".join(f"{param['name']}: {param['reason']}" for param in error.invalid_params)
                raise CommandError(params or str(error)) from error
        self._show(found)

    def _act(self, account, act, values):
        if act == "announce":
            trust_anchors.announce(account, actor=OPERATOR, **values)
            return
        anchor = trust_anchors.upcoming(account)
        if anchor is None:
            raise CommandError("No next trust anchor is announced.")
        getattr(trust_anchors, act)(anchor, actor=OPERATOR, **values)

    def _show(self, account):
        for anchor in TrustAnchor.objects.filter(account=account).order_by("created_at").defer("private_key"):
            self.stdout.write(f"{anchor.pk} {anchor.status} made {anchor.created_at:%Y-%m-%d %H:%M} UTC")
            if anchor.status == KeyStatus.NEXT:
                due = anchor.created_at + trust_anchors.NOTICE
                when = "now" if due <= timezone.now() else f"from {due:%Y-%m-%d %H:%M} UTC on"
                self.stdout.write(f"  It can be promoted {when}.")
                count = trust_anchors.uncertain(anchor).count()
                self.stdout.write(f"  {count} phones may not know it yet: nothing was approved with them since.")
