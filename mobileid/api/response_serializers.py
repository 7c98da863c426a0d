"""What MobileID's API answers, for the OpenAPI document: made from the types that the services write."""

from mobileid.api.request_serializers import ContextBody, TransactionBody
from mobileid.models import Operation
from mobileid.services import descriptions, qr
from reuseid.api.openapi.events import register
from reuseid.api.openapi.shapes import serializer_of, take

take(descriptions.SentContext, ContextBody)
take(descriptions.SentTransaction, TransactionBody)

RegistrationStarted = serializer_of(descriptions.RegistrationStarted)
OperationStarted = serializer_of(descriptions.OperationStarted)
OperationRow = serializer_of(descriptions.OperationRow)
OperationAnswer = serializer_of(descriptions.OperationAnswer)
QRFrame = serializer_of(qr.QRFrame)
DeviceAnswer = serializer_of(descriptions.DeviceAnswer)

register("device", serializer_of(descriptions.DeviceEventData))
for noun in ("operation", *Operation.Type.values):
    register(noun, OperationAnswer)
