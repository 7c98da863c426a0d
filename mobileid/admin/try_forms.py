"""What the "try it" page asks for, as the body of the REST call and as the call of the service that this makes."""

from django import forms
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from mobileid.models import Application, Operation
from mobileid.services import operations
from mobileid.services.registration import by_integrator
from reuseid.models import User

# Only people of this segment: who sees no people tries with nobody's customer.
TEST_SEGMENT = "test"
USERS = 100
AUTHORISATION = "authorisation"
KINDS = [
    (Operation.Type.REGISTRATION.value, _("Registration: a code for a new phone")),
    (Operation.Type.AUTHENTICATION.value, _("Authentication: sign in")),
    (AUTHORISATION, _("Authorisation: approve a payment")),
    (Operation.Type.SIGNATURE.value, _("Signature: consent to a text")),
]
PLURAL = {
    Operation.Type.REGISTRATION.value: "registrations",
    Operation.Type.AUTHENTICATION.value: "authentications",
    AUTHORISATION: "authentications",
    Operation.Type.SIGNATURE.value: "signatures",
}
PAYMENT = ("amount", "currency", "creditorName", "creditorAccount", "reference")


def test_users(accounts):
    """The active people with whom colleagues may try things out."""
    return User.objects.filter(account__in=accounts, segment=TEST_SEGMENT, status=User.Status.ACTIVE)


class Newest(ModelChoiceIterator):
    """Lists the newest; any that belongs there is accepted."""

    def __init__(self, field):
        super().__init__(field)
        self.queryset = self.queryset[:USERS]


class UserChoice(forms.ModelChoiceField):
    iterator = Newest

    def label_from_instance(self, user):
        return user.external_ref or str(user.pk)


def _text(label, initial="", **values):
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, initial=initial, required=False, widget=widget, **values)


class TryForm(forms.Form):
    """One operation of one test user; `body` is what the REST call takes, `start` does it."""

    operation = forms.ChoiceField(
        choices=KINDS,
        initial=Operation.Type.AUTHENTICATION.value,
        label=_("Operation"),
        widget=UnfoldAdminSelectWidget(attrs={"data-chooses": "operation"}),
    )
    user = UserChoice(
        queryset=User.objects.none(), label=_("Test user"), widget=UnfoldAdminSelectWidget, empty_label=None
    )
    application = forms.ModelChoiceField(
        queryset=Application.objects.none(),
        label=_("Application"),
        widget=UnfoldAdminSelectWidget,
        empty_label=None,
        required=False,
    )
    level = forms.ChoiceField(
        choices=Operation.AuthLevel.choices,
        initial=Operation.AuthLevel.TWO_FACTOR,
        label=_("Level"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    binding = forms.ChoiceField(
        choices=Operation.Binding.choices,
        initial=Operation.Binding.NONE,
        label=_("Binding"),
        required=False,
        widget=UnfoldAdminSelectWidget(attrs={"data-chooses": "binding"}),
    )
    return_url = _text(_("Return address"), "https://example.com/return", max_length=500)
    title = _text(_("Title"), _("A test"), max_length=120)
    content = forms.CharField(
        label=_("Text"),
        initial=_("This is only a test."),
        required=False,
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    amount = _text(_("Amount"), "12.50", max_length=20)
    currency = _text(_("Currency"), "EUR", max_length=3)
    creditorName = _text(_("Paid to"), "Example Shop", max_length=70)
    creditorAccount = _text(_("Their account"), "DE89370400440532013000", max_length=64)
    reference = _text(_("Reference"), "Order 1", max_length=140)

    # Which fields belong to which operation or binding; the page hides the others.
    FOR = {
        "application": "operation:registration",
        "level": "operation:authentication,authorisation,signature",
        "binding": "operation:authentication,authorisation,signature",
        "return_url": "binding:SAME_DEVICE",
        "title": "operation:authentication,signature",
        "content": "operation:authentication,signature",
        **dict.fromkeys(PAYMENT, "operation:authorisation"),
    }

    def __init__(self, account, *args, **kwargs):
        super().__init__(*args, auto_id="bo-try-%s", **kwargs)
        self.account = account
        self.fields["user"].queryset = test_users([account.pk]).order_by("-created_at", "-id")
        self.fields["application"].queryset = Application.objects.filter(account=account).order_by("name")

    def shown(self):
        """Each field with what it depends on, ``select:value,value``."""
        return [(field, self.FOR.get(field.name, "")) for field in self]

    def clean(self):
        values = super().clean()
        if values.get("operation") == Operation.Type.REGISTRATION and not values.get("application"):
            self.add_error("application", _("Choose one: make an application first if there is none."))
        return values

    @property
    def kind(self):
        return self.cleaned_data["operation"]

    def body(self) -> dict:
        """The JSON of the REST call."""
        values = self.cleaned_data
        body = {"userId": str(values["user"].pk)}
        if self.kind == Operation.Type.REGISTRATION:
            return {**body, "applicationId": str(values["application"].pk)}
        properties = {"authLevel": values["level"] or Operation.AuthLevel.TWO_FACTOR.value}
        if values["binding"] and values["binding"] != Operation.Binding.NONE:
            properties["binding"] = values["binding"]
        if values["binding"] == Operation.Binding.SAME_DEVICE:
            properties["returnUrl"] = values["return_url"]
        if self.kind == AUTHORISATION:
            properties["transaction"] = {name: values[name] for name in PAYMENT if values[name]}
        else:
            context = {"title": values["title"], "mimeType": "text/plain", "content": values["content"]}
            properties["preOperationContext"] = context
        return {**body, "operationProperties": properties}

    def start(self, actor):
        """Call the service with what the body says; gives the operation and what only the start answer shows."""
        values, how = self.cleaned_data, {"actor": actor, "user": self.cleaned_data["user"]}
        if self.kind == Operation.Type.REGISTRATION:
            return by_integrator.start_registration(self.account, application=values["application"], **how)
        properties = self.body()["operationProperties"]
        service = (
            operations.start_signature if self.kind == Operation.Type.SIGNATURE else operations.start_authentication
        )
        return service(
            self.account,
            auth_level=properties["authLevel"],
            binding=properties.get("binding", Operation.Binding.NONE),
            return_url=properties.get("returnUrl", ""),
            content=properties.get("preOperationContext"),
            transaction=properties.get("transaction"),
            **how,
        )
