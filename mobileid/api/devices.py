"""``/mobileid/core/devices``: phones, and what support does with them."""

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from mobileid.api import request_serializers
from mobileid.api.response_serializers import DeviceAnswer
from mobileid.models import Device
from mobileid.models.devices import LOCK_OVER
from mobileid.services import devices
from mobileid.services.descriptions import describe_device
from reuseid.api.filters import FilterSet, MomentFilter
from reuseid.api.openapi.links import FURTHER
from reuseid.api.request_serializers import LockBody, ReasonBody
from reuseid.api.views import APIView
from reuseid.models import User

_CONFIRMED = {"parameters": {"device_id": "$response.body#/device/deviceId"}}
FURTHER.update({("confirmRegistration", act): _CONFIRMED for act in ("getDevice", "updateDevice", "lockDevice")})


class DeviceFilters(FilterSet):
    """Each filter is backed by an index or narrows one."""

    state = django_filters.ChoiceFilter(method="by_state", choices=Device.Status.choices)
    userId = django_filters.UUIDFilter(field_name="user_id")
    applicationId = django_filters.UUIDFilter(field_name="application_id")
    createdAfter = MomentFilter(field_name="created_at", lookup_expr="gte")
    createdBefore = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Device
        fields = []

    def by_state(self, queryset, name, value):
        """As the rows show it: a lock that is over counts as ACTIVE."""
        if value == Device.Status.ACTIVE:
            return queryset.usable()
        queryset = queryset.filter(status=value)
        return queryset.exclude(LOCK_OVER) if value == Device.Status.LOCKED else queryset


class DeviceList(APIView):
    """One page of devices, newest first."""

    scopes = {"GET": "devices:read"}
    filterset_class = DeviceFilters
    serializer_class = DeviceAnswer

    def devices(self):
        """What the list is cut from."""
        return Device.objects.of(self.request.account).as_read()

    @extend_schema(responses=DeviceAnswer(many=True), summary="List devices")
    def get(self, request, **kwargs):
        return self.page(self.devices(), lambda rows: [describe_device(row) for row in rows])


class UserDevices(DeviceList):
    """The devices of one person."""

    def devices(self):
        user = self.find(User.objects.of(self.request.account), pk=self.kwargs["user_id"])
        return super().devices().filter(user=user)


class DeviceView(APIView):
    """Finds a device of the caller's account."""

    serializer_class = DeviceAnswer

    def device(self, device_id):
        """With its application, in one query; 404 for another account's."""
        return self.find(Device.objects.of(self.request.account).as_read(), pk=device_id)


class OneDevice(DeviceView):
    """``GET`` and ``PATCH devices/{id}``."""

    scopes = {"GET": "devices:read", "PATCH": "devices:write"}

    @extend_schema(summary="One device")
    def get(self, request, device_id):
        self.only_query()
        return Response(describe_device(self.device(device_id)))

    @extend_schema(request=request_serializers.RenameBody, summary="Rename a device")
    def patch(self, request, device_id):
        body = self.body(request_serializers.RenameBody)
        return Response(describe_device(devices.rename(self.device(device_id), body["name"], actor=request.actor)))


class LockDevice(DeviceView):
    """``POST devices/{id}/lock``."""

    scopes = {"POST": "devices:write"}

    @extend_schema(request=LockBody, summary="Lock a device")
    def post(self, request, device_id):
        body = self.body(LockBody)
        return Response(describe_device(devices.lock(self.device(device_id), actor=request.actor, **body)))


class UnlockDevice(DeviceView):
    """``POST devices/{id}/unlock``."""

    scopes = {"POST": "devices:write"}

    @extend_schema(request=ReasonBody, summary="Unlock a device")
    def post(self, request, device_id):
        body = self.body(ReasonBody)
        return Response(describe_device(devices.unlock(self.device(device_id), actor=request.actor, **body)))


class DeactivateDevice(DeviceView):
    """``POST devices/{id}/deactivate``."""

    scopes = {"POST": "devices:write"}

    @extend_schema(request=ReasonBody, summary="Deactivate a device", description="Final.")
    def post(self, request, device_id):
        body = self.body(ReasonBody)
        return Response(describe_device(devices.deactivate(self.device(device_id), actor=request.actor, **body)))
