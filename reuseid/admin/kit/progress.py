"""A bar for work that a worker does: it asks again by itself, ever more seldom, and at last no more."""

from dataclasses import dataclass, field

LOOKS = 90  # The session of a forgotten page would never end otherwise.


@dataclass
class Progress:
    """``done`` of ``total``, in words too; ``address`` answers with the next look while it is ``running``."""

    title: str
    done: int
    total: int
    text: str
    address: str
    running: bool
    details: list = field(default_factory=list)
    look: int = 0
    template: str = "admin/parts/progress.html"

    @property
    def next_look(self):
        """The number of the next look; 0 when this was the last."""
        return self.look + 1 if self.running and self.look < LOOKS else 0

    @property
    def seconds(self):
        """Until the next look: quick at first."""
        return 1 if self.look < 20 else 5
