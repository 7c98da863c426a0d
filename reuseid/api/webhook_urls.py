"""Addresses of webhooks and events: part of MobileID's paths, since integrators look for them there."""

from django.urls import include, path

from reuseid.api import webhooks as views

_WEBHOOK = "<uuid:webhook_id>"
_DELIVERY = f"{_WEBHOOK}/deliveries/<uuid:delivery_id>"

_webhooks = [
    path(_WEBHOOK, views.WebhookDetailView.as_view(), name="webhook"),
    path(f"{_WEBHOOK}/rotate-secret", views.RotateSecretView.as_view(), name="webhook-rotate-secret"),
    path(f"{_WEBHOOK}/test", views.TestEventView.as_view(), name="webhook-test"),
    path(f"{_WEBHOOK}/pause", views.PauseView.as_view(), name="webhook-pause"),
    path(f"{_WEBHOOK}/resume", views.ResumeView.as_view(), name="webhook-resume"),
    path(f"{_WEBHOOK}/resend", views.ResendSinceView.as_view(), name="webhook-resend"),
    path(f"{_WEBHOOK}/deliveries", views.DeliveriesView.as_view(), name="deliveries"),
    path(_DELIVERY, views.DeliveryDetailView.as_view(), name="delivery"),
    path(f"{_DELIVERY}/resend", views.ResendView.as_view(), name="delivery-resend"),
]
urlpatterns = [
    path("mobileid/core/webhooks", views.WebhooksView.as_view(), name="webhooks"),
    path("mobileid/core/webhooks/", include(_webhooks)),
    path("mobileid/core/events", views.EventsView.as_view(), name="events"),
    path("mobileid/core/events/<uuid:event_id>", views.EventDetailView.as_view(), name="event"),
]
