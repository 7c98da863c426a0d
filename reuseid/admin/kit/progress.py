"""A bar for work that a worker does: it asks again by itself, ever more seldom, and at last no more."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit.pages import PageAdmin

ACCESS = 90  # The session of a forgotten page would never end otherwise.


@dataclass
class Progress:
    """``done`` of ``total`` rows of the work ``row``, whose page answers with the next look while it is ``running``."""

    row: Model
    done: int
    total: int
    running: bool
    details: list[str] = field(default_factory=list)
    look: int = 0
    title: str = _("Progress")
    template: str = "admin/parts/progress.html"

    @property
    def text(self) -> str:
        """The same in words."""
        return _("%(done)s of %(total)s rows.") % {"done": self.done, "total": self.total}

    @property
    def maximum(self) -> int:
        """The end of the bar: before a worker has counted the rows their number is not known."""
        return max(self.total, self.done, 1)

    @property
    def address(self) -> str:
        """Where the next look is answered."""
        return reverse(f"admin:{_view_name(self.row)}", args=[self.row.pk])

    @property
    def next_look(self) -> int:
        """The number of the next look; 0 when this was the last."""
        return self.look + 1 if self.running and self.look < ACCESS else 0

    @property
    def seconds(self) -> int:
        """Until the next look: quick at first."""
        return 1 if self.look < 20 else 5


class JobAdmin(PageAdmin):
    """Pages about what a worker does: each has a bar, and an address that answers with the bar alone."""

    progress_of: Callable[[Model], Progress]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.progress)
        return [path("<path:object_id>/progress/", view, name=_view_name(self.model)), *super().get_urls()]

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The bar alone; when the work is over the page is asked for anew."""
        panel = self.progress_of(self.viewable(request, object_id))
        look = request.GET.get("look", "")
        panel.look = int(look) if look.isdecimal() and len(look) < 4 else 0
        response = TemplateResponse(request, panel.template, {"panel": panel})
        if not panel.running:
            response["HX-Refresh"] = "true"
        return response

    def viewable(self, request: HttpRequest, object_id: str) -> Model:
        """The row for a colleague who may view it; 404 or 403 else."""
        row = self.found(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


def _view_name(model: Model | type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_progress"
