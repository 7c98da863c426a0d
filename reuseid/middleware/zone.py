"""Whose clock the back office goes by: the reader's. It draws charts, begins "today" and reads days that are typed."""

from datetime import UTC
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

# Written by every page's script; the first page after the sign-in page has it.
COOKIE = "reuseid_zone"


class BackOfficeZone:
    """Under /admin/ the zone that the browser named in its cookie, else and elsewhere UTC."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with timezone.override(_zone(request)):
            return self.get_response(request)


def _zone(request):
    name = request.COOKIES.get(COOKIE)
    return ZoneInfo(name) if request.path_info.startswith("/admin/") and name in _names() else UTC


@cache
def _names():
    return available_timezones()
