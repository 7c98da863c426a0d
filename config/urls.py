"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from reuseid import health, metrics
from reuseid.admin.kit import command, first_page
from reuseid.api.docs import guides

# Those that are called most come first.
urlpatterns = [
    path("mobileid/device/v1/", include("mobileid.device_api.urls")),
    path("", include("reuseid.api.urls")),
    path("", include("reuseid.api.webhook_urls")),
    path("", include("mobileid.urls")),
    path("", guides.front, name="front"),
    path("admin/search/", admin.site.admin_view(command.find)),
    path("admin/try/", include("mobileid.admin.try_it")),
    path("admin/live/", admin.site.admin_view(first_page.live), name="live"),
    path("admin/language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("", include(("reuseid.api.oauth", "oauth2_provider"))),
    path("api/docs/<path:name>", guides.guide),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
]

handler400 = "reuseid.api.errors.handler400"
handler403 = "reuseid.api.errors.handler403"
handler404 = "reuseid.api.errors.handler404"
handler500 = "reuseid.api.errors.handler500"
