"""Forms whose values go to a service: what the service refuses stands beside the field that it is about."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Field, Model, URLField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.forms import forms

from reuseid.admin.kit import history
from reuseid.admin.kit.answers import last_line
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.formatting import page_of
from reuseid.admin.kit.scope import accounts_of
from reuseid.admin.kit.stepup import FIELD, strong_form
from reuseid.errors import ServiceError


class EditForm(forms.ModelForm):
    """Shows what the service refused, if it did, on the second validation of the same input."""

    refused: ServiceError | None = None
    wire_names: dict = {}

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if self.refused is None:
            return values
        for item in self.refused.invalid_params or [{"name": "", "reason": self.refused.detail or self.refused.title}]:
            name = self.wire_names.get(item["name"], item["name"])
            self.add_error(name if name in self.fields else None, item["reason"])
        return values

    def _get_validation_exclusions(self) -> set[str]:
        """Uniqueness and the rest are the service's to judge."""
        return {field.name for field in self._meta.model._meta.get_fields()}

    def validate_constraints(self) -> None:
        """The service translates the database's refusals."""


class EditAdmin(BackOfficeAdmin):
    """Adding and changing by services: ``create(request, values)`` returns the row, ``change(request, row, values)``.

    The service runs in the form's transaction; a refusal undoes it all and the form is shown again. ``effect`` is what
    saving does: a strong one asks for the second factor again when that was some minutes ago.
    """

    effect: Effect
    form = EditForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.permitted(request, f"add_{self.opts.model_name}")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.permitted(request, f"change_{self.opts.model_name}")

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        if self.effect.strong and self._may_save(request, obj):
            form = strong_form(form)
        return type(form.__name__, (form,), {"refused": getattr(request, "_refused", None), "request": request})

    def _may_save(self, request: HttpRequest, obj: Model) -> bool:
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ServiceError as error:
            request._refused = error
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        context["show_save_and_add_another"] = context["show_save_and_continue"] = False
        page = context["adminform"]
        if FIELD in page.form.fields:
            page.fieldsets.append((None, {"fields": (FIELD,)}))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def formfield_for_foreignkey(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> forms.Field:
        """The account is chosen among those that the colleague sees."""
        if db_field.name == "account":
            kwargs["queryset"] = accounts_of(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """Without the pencil and the plus beside it: those are other pages. Addresses are https ones."""
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and hasattr(field.widget, "can_add_related"):
            field.widget = field.widget.widget
        return field

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> Model:
        """The row as it is: the service writes, not the form."""
        form.save_m2m = lambda: None
        return form.instance

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        with transaction.atomic():
            if not change:
                row = self.create(request, form.cleaned_data)
                obj.__dict__.update(row.__dict__)
            elif set(form.changed_data) - {FIELD}:
                fresh = self.get_queryset(request).get(pk=obj.pk)
                changed = [name for name in form.changed_data if name != FIELD]
                self.change(request, fresh, {name: form.cleaned_data[name] for name in changed})
                request._edited = True

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> None:
        """Nothing: many-to-many values are among those that the service gets."""

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        return self._back(request, obj)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        return self._back(request, obj)

    def _back(self, request: HttpRequest, obj: Model) -> HttpResponse:
        words = {"kind": capfirst(self.opts.verbose_name), "name": obj, "changes": ""}
        if getattr(request, "_edited", False) and (line := last_line(obj)):
            words["changes"] = history.line(line, request.user).changes
        text = (
            _("%(kind)s “%(name)s” is saved. %(changes)s") if words["changes"] else _("%(kind)s “%(name)s” is saved.")
        )
        messages.success(request, text % words)
        return HttpResponseRedirect(page_of(self.model, obj.pk))
