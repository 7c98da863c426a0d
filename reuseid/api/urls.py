"""Addresses of ReuseID's API."""

from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from reuseid.api import attributes, trail_keys, users
from reuseid.api.docs import document, problems

USER = "<uuid:user_id>"

_users = [
    path("by-external-ref/<path:external_ref>", users.UserByExternalRef.as_view()),
    path(USER, users.UserDetailView.as_view(), name="user"),
    path(f"{USER}/lock", users.LockUser.as_view()),
    path(f"{USER}/unlock", users.UnlockUser.as_view()),
    path(f"{USER}/deactivate", users.DeactivateUser.as_view()),
    path(f"{USER}/erase", users.EraseUser.as_view()),
    path(f"{USER}/events", users.UserEvents.as_view()),
    path(f"{USER}/events/<int:line_id>/proof", users.UserEventProof.as_view()),
    path(f"{USER}/attributes", attributes.Attributes.as_view()),
    path(f"{USER}/attributes/<str:name>", attributes.OneAttribute.as_view()),
    path(f"{USER}/proofings", attributes.Proofings.as_view()),
    path(f"{USER}/proofings/<uuid:proofing_id>/deactivate", attributes.DeactivateProofing.as_view()),
]
urlpatterns = [
    path("reuseid/core/users", users.Users.as_view(), name="users"),
    path("reuseid/core/users/", include(_users)),
    path("reuseid/core/reasons", users.Reasons.as_view()),
    path(".well-known/trail-keys.json", trail_keys.trail_keys),
    path("api/openapi.json", document.document, name="openapi"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="docs"),
    path("api/docs/problems", problems.problems, name="problems"),
]
