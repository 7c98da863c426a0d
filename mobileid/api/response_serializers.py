"""What MobileID's API answers, for the OpenAPI document: made from the types that the services write."""

from functools import partial

from mobileid.api import examples
from mobileid.api.request_serializers import ContextBody, TransactionBody
from mobileid.models import Operation
from mobileid.services import descriptions, qr
from reuseid.api.openapi.events import register
from reuseid.api.openapi.shapes import documented, serializer_of, take

take(descriptions.SentContext, ContextBody)
take(descriptions.SentTransaction, TransactionBody)

RegistrationStarted = documented(descriptions.RegistrationStarted, examples.REGISTRATION_STARTED)
OperationStarted = documented(descriptions.OperationStarted, examples.OPERATION_STARTED)
OperationRow = serializer_of(descriptions.OperationRow)
OperationAnswer = serializer_of(descriptions.OperationAnswer)
QRFrame = documented(qr.QRFrame, examples.FRAME)
DeviceAnswer = documented(descriptions.DeviceAnswer, examples.PHONE)

register("device", serializer_of(descriptions.DeviceEventData), examples.of_device)
for noun in ("operation", *Operation.Type.values):
    register(noun, OperationAnswer, partial(examples.of_operation, noun))
