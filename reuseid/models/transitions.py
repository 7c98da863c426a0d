"""The whole state machine: one conditional UPDATE, so two rivals never both win."""

from reuseid.errors import WrongState


def move(obj, to, *, guard=None, **changes):
    """Take ``obj`` to status ``to`` if ``MOVES`` allows it from where it is now, ``changes`` in the same statement.

    ``guard`` holds further conditions of the UPDATE. Raises WrongState, with the fresh status on ``obj``, when no row
    matched. Expressions among the changes are not read back.
    """
    rows = type(obj)._base_manager.filter(pk=obj.pk, status__in=obj.MOVES[to], **(guard or {}))
    if not rows.update(status=to, **changes):
        obj.refresh_from_db(fields=["status"])
        raise WrongState(obj, to)
    obj.status = to
    for name, value in changes.items():
        if not hasattr(value, "resolve_expression"):
            setattr(obj, name, value)
