"""Ids as people type them."""

import uuid


def as_uuid(text: str) -> uuid.UUID | None:
    """The UUID that was typed, in whatever form; None when it is none."""
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None
