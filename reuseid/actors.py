"""Who did it: every service takes an actor, every trail line and event names one."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, NotRequired, TypedDict


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


def shown_actor(kind: str, actor_id: str) -> ActorAnswer:
    """What integrators see of an actor. Who of our staff it was is for the trail; the trace id leads there."""
    return {"type": str(kind)} if kind == ActorKind.STAFF else {"type": str(kind), "id": actor_id}


@dataclass(frozen=True, slots=True)
class Actor:
    """A client of the API, a colleague in the back office, a person's phone, or the service itself.

    ``client_pk`` is an API client's row, for what keeps a reference to it.
    """

    kind: ActorKind
    id: str
    label: str = ""
    client_pk: int | None = field(default=None, compare=False)

    @classmethod
    def client(cls, client):
        return cls(ActorKind.CLIENT, client.client_id, client.name, client.pk)

    @classmethod
    def staff(cls, staff):
        return cls(ActorKind.STAFF, str(staff.pk), staff.get_username())

    @classmethod
    def device(cls, device):
        return cls(ActorKind.DEVICE, str(device.pk))

    def as_json(self) -> ActorAnswer:
        """The form that events and answers show: the kind and the id, no name. Of a colleague the kind alone."""
        return shown_actor(self.kind, self.id)


SYSTEM = Actor(ActorKind.SYSTEM, "system")
