"""Who acts: every service that changes something takes an ``actor``, every trail line and event names one."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from reuseid.models import Client, Staff


class ActorKind(StrEnum):
    CLIENT = "CLIENT"
    STAFF = "STAFF"
    DEVICE = "DEVICE"
    SYSTEM = "SYSTEM"


class ActorAnswer(TypedDict):
    """Who did it."""

    type: Annotated[str, ActorKind, "What kind of actor."]
    id: NotRequired[
        Annotated[str, "Its id: a client id or a device id. Absent for STAFF: our support finds by traceId who."]
    ]


class WrongKind(TypeError):
    """A door let somebody act who can't: what only colleagues do was asked for by a client, say."""


def shown_actor(kind: str, actor_id: str) -> ActorAnswer:
    """What integrators see of an actor. Who of our staff it was is for the trail; the trace id leads there."""
    return {"type": str(kind)} if kind == ActorKind.STAFF else {"type": str(kind), "id": actor_id}


@dataclass(frozen=True, slots=True)
class Actor:
    """A client of the API, a colleague in the back office, a person's phone, or the service itself.

    ``id`` is what trail and events call it: an API client's OAuth client id, the key of any other. ``label`` is its
    name at this moment, at most 150 characters. ``key`` is the row of a client or colleague, for what keeps a
    reference to it; asked for by ``client_id`` and ``staff_id``.
    """

    kind: ActorKind
    id: str
    label: str = ""
    key: int | None = field(default=None, compare=False, repr=False)

    @classmethod
    def client(cls, client: "Client") -> "Actor":
        return cls(ActorKind.CLIENT, client.client_id, client.name, client.pk)

    @classmethod
    def staff(cls, staff: "Staff") -> "Actor":
        return cls(ActorKind.STAFF, str(staff.pk), staff.get_username(), staff.pk)

    @classmethod
    def device(cls, device: Any) -> "Actor":
        return cls(ActorKind.DEVICE, str(device.pk))

    @property
    def is_client(self) -> bool:
        return self.kind == ActorKind.CLIENT

    @property
    def is_staff(self) -> bool:
        return self.kind == ActorKind.STAFF

    @property
    def client_id(self) -> int:
        """The key of the client's row (not its OAuth client id); raises WrongKind for any other actor."""
        return self._key_of(ActorKind.CLIENT)

    @property
    def staff_id(self) -> int:
        """The key of the colleague's row; raises WrongKind for any other actor."""
        return self._key_of(ActorKind.STAFF)

    def _key_of(self, kind: ActorKind) -> int:
        if self.kind != kind or self.key is None:
            raise WrongKind(f"It takes an actor of the kind {kind}, and {self.kind} {self.id} acts.")
        return self.key

    def as_json(self) -> ActorAnswer:
        """The form that events and answers show: the kind and the id, no name. Of a colleague the kind alone."""
        return shown_actor(self.kind, self.id)


SYSTEM = Actor(ActorKind.SYSTEM, "system")
