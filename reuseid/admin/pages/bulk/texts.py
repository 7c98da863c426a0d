"""What bulk acts and their outcomes are called."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reuseid.services.jobs import bulk

_VERBS = {"lock": gettext_lazy("Lock %(things)s"), "unlock": gettext_lazy("Unlock %(things)s")}
_DONE = {"lock": gettext_lazy("locked"), "unlock": gettext_lazy("unlocked")}
_WOULD = {"lock": gettext_lazy("would be locked"), "unlock": gettext_lazy("would be unlocked")}
_ALREADY = {"lock": gettext_lazy("is locked already"), "unlock": gettext_lazy("is not locked")}
_WORDS = {
    "WAITING": gettext_lazy("not yet"),
    "NOT_FOUND": gettext_lazy("not found"),
    "TWICE": gettext_lazy("named twice"),
    "SKIPPED": gettext_lazy("not carried out"),
}


def act_label(kind, act):
    """“Lock users”."""
    things = bulk.KINDS[kind].model._meta.verbose_name_plural
    return str(_VERBS[act]) % {"things": things}


def outcome(run, status, would=False):
    """What became of a row, or what would."""
    if status == "DONE":
        return str((_WOULD if would else _DONE)[run.act])
    if status == "ALREADY":
        return str(_ALREADY[run.act])
    if status == "REFUSED":
        return _("would be refused") if would else _("refused")
    return str(_WORDS[status])
