"""The names of everything that integrators can be told. Each app registers its own when it is loaded."""

_known: dict[str, str] = {}


def register(types: dict[str, str]) -> None:
    """Add names, each with one sentence for the docs."""
    _known.update(types)


def known() -> dict[str, str]:
    """All names, in alphabetical order."""
    return dict(sorted(_known.items()))


register(
    {
        "user.created": "A user was created.",
        "user.updated": "A user's external reference, segment or attributes changed.",
        "user.locked": "A user was locked; its open operations were cancelled.",
        "user.unlocked": "A user was unlocked.",
        "user.deactivated": "A user was deactivated, for good.",
        "webhook.test": "A test, sent to one endpoint on request, whatever its event types.",
    }
)
