"""Settings: the OpenAPI document, by drf-spectacular. Read by `config.settings`."""

SPECTACULAR_SETTINGS = {
    "TITLE": "ReuseID / MobileID",
    "VERSION": "1",
    "DESCRIPTION": "People who are proofed once and reused, and the phones with which they sign in, approve and sign.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVERS": [{"url": "/", "description": "This service."}],
    "SCHEMA_PATH_PREFIX": "/(reuseid|mobileid)/core",
    "SORT_OPERATIONS": False,
    # A patch's members are required where they are: no twin of each body without them.
    "COMPONENT_SPLIT_PATCH": False,
    "WEBHOOKS": "reuseid.api.openapi.callbacks.WEBHOOKS",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "reuseid.api.openapi.hooks.bound_filters",
        "reuseid.api.openapi.links.add_links",
        "reuseid.api.openapi.hooks.share_parts",
        "reuseid.api.openapi.growing.mark_growing",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "OperationType": "mobileid.models.Operation.Type",
        "OperationState": "mobileid.models.Operation.Status",
        "DeviceState": "mobileid.models.Device.Status",
        "AuthMethod": "mobileid.models.AuthMethod",
        "AuthLevel": "mobileid.models.Operation.AuthLevel",
        "Binding": "mobileid.models.Operation.Binding",
        "Confirmation": "mobileid.models.Operation.Confirmation",
        "UserState": "reuseid.models.User.Status",
        "ProofingState": "reuseid.models.Proofing.Status",
        "WebhookState": "reuseid.services.webhooks.descriptions.WEBHOOK_STATES",
        "DeliveryState": "reuseid.models.Delivery.Status",
        "EventType": "reuseid.event_types.known",
        "ReadingScope": "reuseid.event_scopes.READING",
    },
}
