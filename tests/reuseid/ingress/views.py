"""Addresses of tests/reuseid/ingress/test_handler.py: views that say what the handler is asked for."""

import threading
import time

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from reuseid import tracing
from reuseid.ingress.held import hold

seen = []
"""What the views have noted, in order."""


def plain(request):
    return HttpResponse("all of it")


def held_for_an_hour(request):
    hold(request, time.monotonic() + 3600)
    return HttpResponse("late")


def stream(request):
    def parts():
        try:
            for number in range(3):
                seen.append(number)
                yield f"{number},"
        finally:
            seen.append("closed")

    return StreamingHttpResponse(parts())


def asynchronous_stream(request):
    async def parts():
        for number in range(3):
            yield f"{number},"

    return StreamingHttpResponse(parts())


def file(request):
    return FileResponse(open(__file__, "rb"))


def thread(request):
    return HttpResponse(f"{threading.get_ident()} {tracing.current()}")


def fails(request):
    raise RuntimeError


@csrf_exempt
def echo(request):
    return HttpResponse(f"{request.method} {request.GET.get('q')} {request.body.decode()} {request.script_name}")


urlpatterns = [path(view.__name__, view) for view in (plain, held_for_an_hour, stream, file, thread, fails, echo)] + [
    path("asynchronous", asynchronous_stream)
]
