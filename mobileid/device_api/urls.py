"""The phones' addresses, under /mobileid/device/v1/."""

from django.urls import path

from mobileid.device_api import views

urlpatterns = [
    path("keys", views.keys),
    path("<path:name>", views.message),
]
