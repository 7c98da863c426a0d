"""An opened message of a phone and its answer: what it says, who says it, and the two transactions that judge it.

docs/protocol.md, chapters 3 and 7. `mobileid.device_api.messages` says what each message does in them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import transaction

from mobileid.device_api import bodies, strangers
from mobileid.models import Application, Device, Operation
from mobileid.problems import AuthenticationFailed, MessageInvalid, PhoneProblem, RateLimited
from mobileid.protocol import envelope, proofs
from mobileid.services import decisions, device_authentication, message_replay
from reuseid.errors import TooMany
from reuseid.limits import Limit, hit, hit_each

PHONE_QUOTA, PHONE_WINDOW = 120, 60
"""Messages of one phone in so many seconds."""
Body = dict[str, Any]
Answer = message_replay.Answer
"""What is sealed for the phone: `{"status", "body"}` or `{"status", "problem"}`."""


def success(body: Body) -> Answer:
    """The answer to a message that was done."""
    return {"status": 200, "body": body}


def refusal(problem: PhoneProblem) -> Answer:
    """The answer to a message that was refused (docs/protocol.md, chapter 8)."""
    told = {"code": problem.code, "title": problem.title}
    if problem.detail:
        told["detail"] = problem.detail
    return {"status": problem.status, "problem": told | problem.members}


class Message:
    """One message: `claimed` and `verdict` are its transactions, `settle` or `refuse` gives its answer."""

    answer: Answer
    is_counted: bool
    """Whether it proved to be a phone's, or is counted as a stranger's already."""

    def __init__(
        self,
        application: Application,
        request: envelope.Request,
        address: str,
        proof: proofs.Proof | None,
        *,
        again: bool = False,
    ):
        """``application`` is from `device_authentication.find`; ``proof`` the request's, None where it is no good.

        ``again``: it was claimed before and is judged afresh, so it neither claims nor stores anything.
        """
        self.application, self.request, self.address = application, request, address
        self._parsed, self._again = proof, again
        self._row = message_replay.describe(application, request.mid, request.path, request.plaintext_digest)
        self.is_counted = False

    def afresh(self) -> "Message":
        """The same message, to be judged again though it was before."""
        return Message(self.application, self.request, self.address, self._parsed, again=True)

    # --- what it says, and who ---

    def body(self, **form: bodies.Reader) -> Body:
        """The body's members by their readers; MessageInvalid."""
        return bodies.read(self.request.body, form)

    @cached_property
    def proof(self) -> proofs.Proof:
        """Well formed; nothing of it is verified. MessageInvalid or ProofInvalid."""
        if self.request.proof is None:
            raise MessageInvalid("proof", "is missing")
        return self._parsed or proofs.parse(self.request.proof)

    def states(self, typ: str, **expected: Any) -> proofs.Proof:
        """The proof, when its statement is a ``typ`` of this application and this moment with the expected members.

        It is signed by the factors that the statement asks for; no signature is verified. Raises ProofInvalid.
        """
        proof = self.proof
        request = self.request
        proofs.check_statement(proof.statement, typ, applicationId=request.application_id, iat=request.iat, **expected)
        proof.require(proofs.required_factors(proof.statement))
        return proof

    def device(self, proof: proofs.Proof) -> Device:
        """The device that proved possession; AuthenticationFailed, or RateLimited for one that talks too much."""
        device = device_authentication.identify(self.application.named, proof, self.request.suite)
        self.count(device)
        return device

    def speaker(self) -> Device:
        """The device behind a plain message."""
        request = self.request
        return self.device(self.states("message", path=request.path, mid=request.mid))

    def belongs_to(self, device: Device) -> None:
        """Whose message it is: with the person's erasure the stored answer goes."""
        self._row.device_id = device.pk
        self.is_counted = True

    # --- what it counts for ---

    def count(self, device: Device) -> None:
        """One message of this phone, which proved possession; RateLimited when it talks too much."""
        self.belongs_to(device)
        if self._again:
            return
        spent = hit("phone", str(device.pk), quota=PHONE_QUOTA, window=PHONE_WINDOW)
        if spent.left < 0:
            # It was opened for nothing: that is bounded for its address.
            strangers.count_opened(self.address)
            raise RateLimited(spent.reset)

    def count_start(self, limit: Limit) -> None:
        """One message of a stranger, and one of what ``limit`` bounds besides; TooMany or RateLimited."""
        if self._again:
            return
        self.is_counted = True
        spent = hit_each(strangers.limit_of(self.address), limit)[-1]
        if spent.left < 0:
            raise RateLimited(spent.reset) if spent.policy == limit.policy else TooMany(retry_after=spent.reset)

    # --- how it is judged ---

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """The transaction of the first effect, which claims the message; AlreadyClaimed when a copy has it.

        What raises in it leaves no trace, and the message is judged anew when it comes again. Once it is committed
        without an answer, `verdict` must give one.
        """
        with transaction.atomic():
            if not self._again:
                message_replay.claim(self._row)
            yield

    @contextmanager
    def claimed_for(self, device: Device, operation_id: UUID) -> Iterator[Operation | None]:
        """`claimed`, with the operation that the message is about: None where it is not for this phone."""
        reading, values = decisions.ANSWERABLE, decisions.answerable(device, operation_id)
        with transaction.atomic():
            if self._again:
                yield reading.one(**values)
            else:
                yield message_replay.claim_and_find(self._row, reading, values)

    @contextmanager
    def verdict(self) -> Iterator[None]:
        """The transaction of the last effect, after `claimed` was committed without an answer.

        A problem that is raised in it is the answer, and is committed with what was written before. StillJudged and
        whatever is no answer undo it.
        """
        with transaction.atomic():
            try:
                yield
            except PhoneProblem as problem:
                self.refuse(problem)

    def settle(self, body: Body) -> Answer:
        """It is done: store the answer, in the transaction of the last effect; StillJudged undoes that."""
        return self._store(success(body))

    def refuse(self, problem: PhoneProblem) -> Answer:
        """It is refused for good, and what has happened stays: as `settle`."""
        return self._store(refusal(problem))

    def settlement(self, body: Body) -> message_replay.Settlement | None:
        """`settle` as values, for a service that stores the answer with the last effect; None for one judged again."""
        self.answer = success(body)
        return None if self._again else message_replay.settlement(self._row, self.answer)

    def _store(self, answer: Answer) -> Answer:
        if not self._again:
            message_replay.settle(self._row, answer)
        self.answer = answer
        return answer

    def stored_answer(self) -> Answer | None:
        """That of the copy which was claimed; None when it was too long to be stored. MessageConflict, StillJudged."""
        return message_replay.stored(self._row, when_lost=refusal(AuthenticationFailed()))
