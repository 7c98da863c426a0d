"""The service's addresses and the floor: the least that a Django + DRF view does which reads, writes and commits."""

from django.db import transaction
from django.db.models import F
from django.urls import include, path
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import handler400, handler403, handler404, handler500  # noqa: F401
from reuseid.models import User


class Floor(APIView):
    """One SELECT, one UPDATE, commit; no caller, no rights. Served by ``bench.asgi`` alone."""

    @transaction.atomic
    def post(self, request, user_id):
        """Count a user's version up."""
        user = User.objects.get(pk=user_id)
        User.objects.filter(pk=user_id).update(version=F("version") + 1)
        return Response({"userId": str(user.pk), "status": user.status, "segment": user.segment})


urlpatterns = [path("bench/floor/<uuid:user_id>", Floor.as_view()), path("", include("config.urls"))]
