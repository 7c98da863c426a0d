"""The nouns and the columns of the models, in the reader's language.

Models are named in code, in English. Django shows those names as titles, headers and labels; here each of them becomes
a text that is looked up when it is shown. What is listed below is what the catalogues hold.
"""

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, gettext_noop
from django.utils.translation import gettext_lazy as _

from reuseid.models import kind_of

# One and many, by the word that trail lines and events have for a model.
NOUNS = {
    "account": (_("account"), _("accounts")),
    "staff": (_("colleague"), _("colleagues")),
    "user": (_("user"), _("users")),
    "request": (_("request"), _("requests")),
    "proofing": (_("proofing"), _("proofings")),
    "attributekey": (_("attribute key"), _("attribute keys")),
    "attribute": (_("attribute"), _("attributes")),
    "attributeversion": (_("former value"), _("former values")),
    "client": (_("API client"), _("API clients")),
    "event": (_("event"), _("events")),
    "webhookendpoint": (_("endpoint"), _("endpoints")),
    "delivery": (_("delivery"), _("deliveries")),
    "deliveryattempt": (_("attempt to send"), _("attempts to send")),
    "idempotencykey": (_("idempotency key"), _("idempotency keys")),
    "trailentry": (_("line of the timeline"), _("lines of the timeline")),
    "trailkey": (_("trail key"), _("trail keys")),
    "trailseal": (_("trail seal"), _("trail seals")),
    "reveal": (_("revealed value"), _("revealed values")),
    "savedview": (_("saved view"), _("saved views")),
    "usernote": (_("note"), _("notes")),
    "useraccess": (_("access to a person"), _("access log")),
    "heartbeat": (_("sign of life"), _("signs of life")),
    "staffnotice": (_("notice"), _("notices")),
    "application": (_("application"), _("applications")),
    "device": (_("device"), _("devices")),
    "operation": (_("operation"), _("operations")),
    "evidence": (_("evidence"), _("evidence")),
    "nonce": (_("challenge"), _("challenges")),
    "storedresponse": (_("stored response"), _("stored responses")),
    "trustanchor": (_("trust anchor"), _("trust anchors")),
    "signingkey": (_("signing key"), _("signing keys")),
    "channelkey": (_("channel key"), _("channel keys")),
    "export": (_("export"), _("exports")),
    "exportpart": (_("part of an export"), _("parts of exports")),
    "bulkrun": (_("bulk act"), _("bulk acts")),
    "bulkrow": (_("row of a bulk act"), _("rows of bulk acts")),
    "recoverycode": (_("recovery code"), _("recovery codes")),
    "staffsignin": (_("sign-in"), _("sign-ins")),
    "passkey": (_("passkey"), _("passkeys")),
    "secondfactor": (_("second factor"), _("second factors")),
    "eventcount": (_("events of an hour"), _("events by hour")),
    "deliverycount": (_("deliveries of an hour"), _("deliveries by hour")),
}

# What a column is called where its name in code says too little.
BETTER = {
    "auth method": _("method"),
    "auth methods": _("methods"),
    "device jwk": _("public key of the device"),
    "logo uri": _("address of the logo"),
    "min sdk version": _("lowest SDK version"),
    "min suite": _("lowest cipher suite"),
    "pin max length": _("longest PIN"),
    "pin min length": _("shortest PIN"),
    "pin type": _("kind of PIN"),
    "url": _("address"),
}

# Names of columns that lists, pages and forms show, as Django makes them of the code.
COLUMNS = {
    gettext_noop("account"),
    gettext_noop("run"),
    gettext_noop("action"),
    gettext_noop("actor id"),
    gettext_noop("actor type"),
    gettext_noop("address"),
    gettext_noop("answer status"),
    gettext_noop("app version"),
    gettext_noop("application"),
    gettext_noop("asked at"),
    gettext_noop("assurance level"),
    gettext_noop("at"),
    gettext_noop("attempts"),
    gettext_noop("binding"),
    gettext_noop("client ID"),
    gettext_noop("client"),
    gettext_noop("code"),
    gettext_noop("count"),
    gettext_noop("counter"),
    gettext_noop("created at"),
    gettext_noop("delivery"),
    gettext_noop("description"),
    gettext_noop("device thumbprint"),
    gettext_noop("device"),
    gettext_noop("digest"),
    gettext_noop("duration ms"),
    gettext_noop("endpoint"),
    gettext_noop("error"),
    gettext_noop("evidence hash"),
    gettext_noop("expires at"),
    gettext_noop("external ref"),
    gettext_noop("fingerprint"),
    gettext_noop("first id"),
    gettext_noop("foreseen"),
    gettext_noop("hash"),
    gettext_noop("holder"),
    gettext_noop("host"),
    gettext_noop("hour"),
    gettext_noop("http status"),
    gettext_noop("ID"),
    gettext_noop("id"),
    gettext_noop("key"),
    gettext_noop("kind"),
    gettext_noop("last id"),
    gettext_noop("line"),
    gettext_noop("max length"),
    gettext_noop("message"),
    gettext_noop("method"),
    gettext_noop("mid"),
    gettext_noop("model"),
    gettext_noop("name"),
    gettext_noop("normalisation"),
    gettext_noop("note"),
    gettext_noop("number"),
    gettext_noop("object id"),
    gettext_noop("open catalogue"),
    gettext_noop("operation"),
    gettext_noop("performed at"),
    gettext_noop("platform"),
    gettext_noop("previous"),
    gettext_noop("proof"),
    gettext_noop("proofing"),
    gettext_noop("provider"),
    gettext_noop("public jwk"),
    gettext_noop("public key"),
    gettext_noop("purged at"),
    gettext_noop("purpose"),
    gettext_noop("replaced at"),
    gettext_noop("root"),
    gettext_noop("row count"),
    gettext_noop("searchable"),
    gettext_noop("segment"),
    gettext_noop("sensitive"),
    gettext_noop("server"),
    gettext_noop("settled at"),
    gettext_noop("signature"),
    gettext_noop("source"),
    gettext_noop("status since"),
    gettext_noop("status"),
    gettext_noop("target id"),
    gettext_noop("text"),
    gettext_noop("trace id"),
    gettext_noop("type"),
    gettext_noop("unique"),
    gettext_noop("updated at"),
    gettext_noop("used at"),
    gettext_noop("user id"),
    gettext_noop("user"),
    gettext_noop("verified at"),
    gettext_noop("within"),
}

DEFAULT_RIGHTS = {"add": _("Can add"), "change": _("Can change"), "delete": _("Can delete"), "view": _("Can view")}


def translate_models(*app_labels: str) -> None:
    """Every name of a model and of a column of these apps is looked up when it is shown."""
    for label in app_labels:
        for model in apps.get_app_config(label).get_models():
            options = model._meta
            if nouns := NOUNS.get(kind_of(model)):
                options.verbose_name, options.verbose_name_plural = nouns
            for field in options.get_fields():
                if hasattr(field, "verbose_name"):
                    field.verbose_name = _later(field.verbose_name)


def _later(name: str | Promise) -> str | Promise:
    return name if isinstance(name, Promise) or not name else BETTER.get(str(name)) or gettext_lazy(str(name))
