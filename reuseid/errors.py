"""The project's errors. Services raise these and nothing else; each door translates them once.

``code`` is stable and documented in docs/api.md; ``title`` never holds a personal value.
"""

from typing import Any, Self

from django.utils.translation import gettext_noop

# Whom a problem is told: the back ends of integrators, phones, colleagues in the back office.
BACK_ENDS, PHONES, STAFF = "back-ends", "phones", "staff"


class ServiceError(Exception):
    """Something that the caller can be told: HTTP-like status, stable code, sentence, extra members."""

    status = 400
    code = "invalid_request"
    audience = BACK_ENDS
    title = gettext_noop("The request is not valid.")

    def __init__(self, detail: str = "", *, invalid_params: list[dict] | None = None, **members: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.invalid_params = invalid_params or []
        self.members = members


class Invalid(ServiceError):
    """A value is refused. ``Invalid.field("name", "too long")`` names it."""

    status = 422
    code = "invalid_parameter"
    title = gettext_noop("A parameter is not valid.")

    @classmethod
    def field(cls, name: str, reason: str) -> Self:
        return cls(invalid_params=[{"name": name, "reason": reason}])


class Unknown(ServiceError):
    """Nothing of that id in this account."""

    status = 404
    code = "not_found"
    title = gettext_noop("There is nothing with this id.")


class Conflict(ServiceError):
    """The change does not fit what is there."""

    status = 409
    code = "conflict"
    title = gettext_noop("The change conflicts with the present state.")


class WrongState(Conflict):
    """A status change that the present status does not allow; ``state`` says which that is."""

    code = "wrong_state"
    title = gettext_noop("The present state does not allow this.")

    def __init__(self, obj: Any, to: str) -> None:
        self.obj, self.to = obj, to
        super().__init__(f"It is {obj.status}, so it can't become {to}.", state=str(obj.status))


class PreconditionFailed(ServiceError):
    """If-Match named another version: somebody changed it in between."""

    status = 412
    code = "precondition_failed"
    title = gettext_noop("It has changed since you read it.")


class TooMany(ServiceError):
    """A limit; ``retry_after`` in seconds."""

    status = 429
    code = "rate_limited"
    title = gettext_noop("Too many requests.")

    def __init__(self, detail: str = "", *, retry_after: int = 60, **members: Any) -> None:
        super().__init__(detail, **members)
        self.retry_after = retry_after
