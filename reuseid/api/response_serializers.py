"""What ReuseID's API answers, for the OpenAPI document: made from the types that the services write."""

from reuseid.api.openapi.events import EventData, register
from reuseid.api.openapi.shapes import serializer_of, take
from reuseid.services import descriptions
from reuseid.services.audit import proofs
from reuseid.services.webhooks import descriptions as webhooks

take(webhooks.EventData, EventData)

UserAnswer = serializer_of(descriptions.UserAnswer)
AttributeAnswer = serializer_of(descriptions.AttributeAnswer)
AttributesAnswer = serializer_of(descriptions.AttributesAnswer)
ProofingAnswer = serializer_of(descriptions.ProofingAnswer)
TrailEntryAnswer = serializer_of(descriptions.TrailEntryAnswer)
TrailProofAnswer = serializer_of(proofs.TrailProofAnswer)
ReasonsAnswer = serializer_of(descriptions.ReasonsAnswer)
Webhook = serializer_of(webhooks.Webhook)
WebhookWithSecret = serializer_of(webhooks.WebhookWithSecret)
Resent = serializer_of(webhooks.Resent)
EventShape = serializer_of(webhooks.EventShape)
DeliveryShape = serializer_of(webhooks.DeliveryShape)
DeliveryWithAttempts = serializer_of(webhooks.DeliveryWithAttempts)

register("user", serializer_of(descriptions.UserEventData))
register("webhook", serializer_of(webhooks.TestEventData))
