"""Lists of operations and their filters."""

import django_filters
from django.db.models import Q
from drf_spectacular.utils import extend_schema

from mobileid.api.examples import ROWS
from mobileid.api.response_serializers import OperationRow
from mobileid.models import Operation
from mobileid.models.operations import OPEN
from mobileid.services.descriptions import summarise_operation
from reuseid.api.examples import uses
from reuseid.api.filters import FilterSet, MomentFilter, TextFilter
from reuseid.api.views import APIView
from reuseid.models import User
from reuseid.models.deadlines import OVERDUE


class OperationFilters(FilterSet):
    """Each filter is backed by an index."""

    type = django_filters.ChoiceFilter(field_name="type", choices=Operation.Type.choices)
    state = django_filters.ChoiceFilter(method="by_state", choices=Operation.Status.choices)
    userId = django_filters.UUIDFilter(field_name="user_id")
    deviceId = django_filters.UUIDFilter(method="by_device", help_text="The phone that answered or was asked.")
    clientReference = TextFilter(field_name="client_reference", help_text="Exact.")
    createdAfter = MomentFilter(field_name="created_at", lookup_expr="gte")
    createdBefore = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Operation
        fields = []

    def by_state(self, queryset, name, value):
        """As the rows show it: what is overdue is EXPIRED, whatever the sweep has done."""
        overdue = Q(status__in=OPEN, **OVERDUE)
        if value == Operation.Status.EXPIRED:
            return queryset.filter(Q(status=value) | overdue)
        return queryset.filter(Q(status=value) & ~overdue)

    def by_device(self, queryset, name, value):
        """Either of the two."""
        return queryset.filter(Q(device=value) | Q(device=None, target_device=value))


class OperationList(APIView):
    """One page of operations, newest first, without contexts, results and evidence."""

    scopes = {"GET": "operations:read"}
    filterset_class = OperationFilters
    serializer_class = OperationRow
    kind = None

    def operations(self):
        """What the list is cut from."""
        rows = Operation.objects.of(self.request.account).as_listed()
        return rows.filter(type=self.kind) if self.kind else rows

    def answer_examples(self, method):
        """Operations of the list's kind."""
        return uses(ROWS[self.kind]) if method == "GET" else []

    @extend_schema(responses=OperationRow(many=True), summary="List operations")
    def get(self, request, **kwargs):
        return self.page(self.operations(), lambda rows: [summarise_operation(row) for row in rows])


class UserOperations(OperationList):
    """The operations of one person."""

    def operations(self):
        user = self.find(User.objects.of(self.request.account), pk=self.kwargs["user_id"])
        return super().operations().filter(user=user)
