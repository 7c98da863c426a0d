"""One operation: its status, its QR frames, and what may be done with it."""

import time

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from mobileid.api import request_serializers, response_serializers
from mobileid.api.examples import OPERATIONS
from mobileid.models import Operation
from mobileid.models.operations import OPEN
from mobileid.services import completion
from mobileid.services.descriptions import describe_operation, state_of
from mobileid.services.qr import frame
from mobileid.services.registration import by_integrator
from mobileid.waiting.poll_context import PollContext
from reuseid.api.errors import MEDIA_TYPE, InvalidQuery
from reuseid.api.examples import uses
from reuseid.api.openapi.problems import problem_response
from reuseid.api.permissions import has_scope
from reuseid.api.throttling import ClientThrottle
from reuseid.api.views import APIView
from reuseid.errors import Unknown, WrongState
from reuseid.prepared import Param, Select

MAX_WAIT = 30
_OF_ACCOUNT = {"account": Param("account"), "pk": Param("pk"), "type": Param("type")}
_READ = Select(lambda: Operation.objects.as_read().filter(**_OF_ACCOUNT))
_SHOWN = Select(lambda: Operation.objects.as_shown().filter(**_OF_ACCOUNT))
WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": MAX_WAIT, "default": 0},
    description="Seconds, 0 to 30: the answer comes when the operation is over, or after that time as it then is.",
)


class FirstAskThrottle(ClientThrottle):
    """A call that waits counts once, however often it polls."""

    def allow_request(self, request, view):
        """True for a poll that is not the first."""
        return PollContext.of(request).again or super().allow_request(request, view)


class OperationView(APIView):
    """Finds an operation of the caller's account and of the ``kind`` that the address is about."""

    throttle_classes = [FirstAskThrottle]
    kind = None
    look_up = _READ

    def operation(self, operation_id):
        """With all that its answer shows, in one query; 404 for another account's or another kind's."""
        found = self.look_up.one(account=self.request.account.pk, pk=operation_id, type=self.kind)
        if found is None:
            raise Unknown
        return found


class StatusView(OperationView):
    """Answers with the status of the operation."""

    serializer_class = response_serializers.OperationAnswer

    def answer_examples(self, method):
        """Operations of this kind."""
        return uses(OPERATIONS[self.kind])

    def answer(self, operation):
        """Its status; attribute values only for a caller who may read them, whoever started it."""
        return Response(self.shown_again(describe_operation(operation)))

    def shown_again(self, answer):
        """An answer, given now or kept, as far as the caller may read it."""
        if answer.get("result") and not has_scope(self.request, "attributes:read"):
            answer["result"]["requestedUserAttributes"] = {}
        return answer


class OneOperation(StatusView):
    """``GET …/{id}``."""

    scopes = {"GET": "operations:read"}
    look_up = _SHOWN

    @extend_schema(parameters=[WAIT], summary="Status of an operation")
    def get(self, request, operation_id):
        self.only_query("wait")
        wait = _wait(request.query_params.get("wait"))
        operation = self.operation(operation_id)
        response = self.answer(operation)
        if wait and state_of(operation) in OPEN:
            poll = PollContext.of(request)
            poll.seen(request.user, operation.status)
            poll.not_yet(wait, operation.expires_at)
        return response


def _wait(text):
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 2 or int(text) > MAX_WAIT:
        raise InvalidQuery.field("wait", f"Whole seconds from 0 to {MAX_WAIT}.")
    return int(text)


class CancelOperation(StatusView):
    """``POST …/{id}/cancel``."""

    scopes = {"POST": "operations:write"}

    @extend_schema(request=None, summary="Cancel an operation", description="409 with the state if it was over.")
    def post(self, request, operation_id):
        self.body(request_serializers.EmptyBody)
        operation = completion.cancel(self.operation(operation_id), actor=request.actor)
        return self.answer(operation)


class ConfirmRegistration(StatusView):
    """``POST registrations/{id}/confirm``."""

    kind = Operation.Type.REGISTRATION
    scopes = {"POST": "operations:write"}

    @extend_schema(
        request=request_serializers.ConfirmBody,
        summary="Confirm a registration",
        description="With the code that the phone shows; the third wrong one ends it FAILED.",
    )
    def post(self, request, operation_id):
        body = self.body(request_serializers.ConfirmBody)
        operation = self.operation(operation_id)
        by_integrator.confirm(operation, code=body["confirmationCode"], actor=request.actor)
        return self.answer(operation)


class ReleaseOperation(StatusView):
    """``POST …/{id}/release``."""

    scopes = {"POST": "operations:write"}

    @extend_schema(
        request=request_serializers.ReleaseBody,
        summary="Release a same-device operation",
        description="With the code that came with the return URL: proof that the browser is on the person's phone.",
    )
    def post(self, request, operation_id):
        body = self.body(request_serializers.ReleaseBody)
        operation = self.operation(operation_id)
        completion.release(operation, return_code=body["returnCode"], actor=request.actor)
        return self.answer(operation)


class OperationQR(OperationView):
    """``GET …/{id}/qr``: the frame of this second."""

    scopes = {"GET": "operations:read"}
    serializer_class = response_serializers.QRFrame

    @extend_schema(
        responses={
            200: response_serializers.QRFrame,
            (409, MEDIA_TYPE): problem_response(409, "It is not PENDING."),
        },
        summary="QR frame of this second",
        description=(
            "While the operation is PENDING; then 409 with the state. `GET …/{id}/qr/stream` sends a `frame` each "
            "second as server-sent events, a `state` when that changes, and ends with the final one."
        ),
    )
    def get(self, request, operation_id):
        self.only_query()
        operation = self.operation(operation_id)
        if operation.binding != Operation.Binding.QR:
            raise Unknown("Only an operation bound by QR has frames.")
        poll, now = PollContext.of(request), int(time.time())
        poll.seen(request.user, operation.status)
        if state_of(operation) != Operation.Status.PENDING:
            operation.status = state_of(operation)
            raise WrongState(operation, Operation.Status.PENDING)
        if poll.frames:
            return Response([frame(operation, now + ahead) for ahead in range(poll.frames)])
        return Response(frame(operation, now))
