"""A colleague starts the registration of a phone: the code is shown once, the person does the rest."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from mobileid.models import Application
from mobileid.services.qr import svg_data_uri
from mobileid.services.registration import by_integrator
from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import shown_once
from reuseid.admin.kit.dialogs import caller_advice, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.extensions import Act
from reuseid.admin.kit.scope import scoped
from reuseid.models import User


class RegisterForm(BaseDialogForm):
    """Which app, and how long the code is good for."""

    form_before_template = "admin/parts/consequences.html"
    model = User

    application = forms.ModelChoiceField(
        queryset=Application.objects.none(),
        label=gettext_lazy("Application"),
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
    )
    expires_in = forms.TypedChoiceField(
        choices=[
            (900, gettext_lazy("15 minutes: the person is on the phone")),
            (3600, gettext_lazy("One hour")),
            (86400, gettext_lazy("One day: the code is sent by letter or read out later")),
        ],
        coerce=int,
        label=gettext_lazy("The code is good for"),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        self.user = scoped(User.objects.all(), request.user, "account").filter(pk=object_id).first()
        if self.user is not None:
            apps = Application.objects.filter(account=self.user.account_id)
            self.fields["application"].queryset = apps.order_by("name")

    def get_before_template_context(self, request, object_id=None):
        follows = [
            _("You get a code and a QR code, once."),
            _("Whoever has it registers a phone for this person: hand it over safely."),
            _("The person chooses the PIN on the phone; nobody here can set or see one."),
        ]
        return {"follows": [*(caller_advice(self.user.pk) if self.user else []), *follows]}


@dialog_action(
    gettext_lazy("Register a phone"),
    icon="add_to_home_screen",
    effect=Effect.GIVES_SECRET,
    variant=ActionVariant.PRIMARY,
    title=gettext_lazy("Register a phone for this person"),
    form=RegisterForm,
    submit=gettext_lazy("Make the code"),
)
def register(self, request, form, object_id):
    def start(user, **values):
        return by_integrator.start_registration(user.account, user=user, **values)

    def shown(request, user, started):
        operation, secrets = started
        return shown_once(
            request,
            title=_("The activation code"),
            secret=secrets["activationCode"],
            picture=svg_data_uri(secrets["activationUri"]),
            until=formatting.when(operation.expires_at),
            advice=_("Shown now and never again. The person types it in the app or scans the picture; it works once."),
            back=f"{formatting.page_of(User, user.pk)}?tab=operations",
        )

    chosen = {name: form.cleaned_data[name] for name in ("application", "expires_in")}
    nothing = _("Nothing was started. %(why)s")
    return self.act(request, object_id, start, then=shown, nothing=nothing, tab="operations", **chosen)


ACT = Act(register, "mobileid.start_registration", available_when=lambda user: user.status == User.Status.ACTIVE)
