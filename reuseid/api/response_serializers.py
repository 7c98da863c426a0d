"""What ReuseID's API answers, for the OpenAPI document: made from the types that the services write."""

from reuseid.api import examples
from reuseid.api.openapi.events import EventData, register
from reuseid.api.openapi.shapes import documented, serializer_of, take
from reuseid.services import descriptions
from reuseid.services.audit import proofs
from reuseid.services.webhooks import descriptions as webhooks

take(webhooks.EventData, EventData)

UserAnswer = documented(descriptions.UserAnswer, examples.ANNA)
AttributeAnswer = documented(descriptions.AttributeAnswer, examples.RECORD)
AttributesAnswer = documented(descriptions.AttributesAnswer, {"results": [examples.RECORD]})
ProofingAnswer = documented(descriptions.ProofingAnswer, examples.PROOFED)
TrailEntryAnswer = documented(descriptions.TrailEntryAnswer, examples.LINE)
TrailProofAnswer = documented(proofs.TrailProofAnswer, examples.PROOF)
ReasonsAnswer = documented(descriptions.ReasonsAnswer, examples.REASONS)
Webhook = documented(webhooks.Webhook, examples.HOOK)
WebhookWithSecret = documented(webhooks.WebhookWithSecret, examples.HOOK_ONCE)
Resent = documented(webhooks.Resent, {"count": 1, "continueFrom": None})
EventShape = documented(webhooks.EventShape, examples.TOLD, succeeded=["200"])
DeliveryShape = documented(webhooks.DeliveryShape, examples.OWED)
DeliveryWithAttempts = documented(webhooks.DeliveryWithAttempts, examples.SENT)

register("user", serializer_of(descriptions.UserEventData), examples.of_user)
register("webhook", serializer_of(webhooks.TestEventData), lambda verb: examples.TESTED)
