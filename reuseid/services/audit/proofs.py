"""Inclusion proofs of lines of the trail (RFC 9162, 2.1.3; docs/decisions/0029): what is needed to show a stranger that
a line was sealed as it is."""

import re
from typing import Annotated, TypedDict

from reuseid.errors import ServiceError
from reuseid.models import TrailEntry, TrailSeal
from reuseid.services.audit import seals
from reuseid.shapes import Natural


class NotSealed(ServiceError):
    """The line is new: it is sealed within a minute or two. Ask again."""

    status = 409
    code = "not_sealed"
    title = "The line is not sealed yet."


class NotProvable(ServiceError):
    """The line was sealed before proofs were made. It is kept and checked as ever, but nothing can be shown of it."""

    status = 409
    code = "not_provable"
    title = "The line was sealed before there were proofs."


class TrailProofAnswer(TypedDict):
    """That a line was sealed as it is: an inclusion proof (RFC 9162, 2.1.3)."""

    entry: Annotated[
        str,
        "What the leaf hashes, byte for byte: JSON in ASCII, `line` as the list shows it and a `digest` of all that is "
        "kept of it.",
    ]
    leafIndex: Annotated[Natural, "Its place among the leaves, counted from 0."]
    auditPath: Annotated[list[Annotated[str, re.compile("^[0-9a-f]{64}$")]], "SHA-256 hashes in hex, the lowest first."]
    seal: Annotated[str, "Compact JWS (EdDSA) of `/.well-known/trail-keys.json`; it names `rootHash` and `treeSize`."]


def prove(entry: TrailEntry) -> TrailProofAnswer:
    """The line as it was sealed, its place, the path to the root, and the signed seal; NotSealed, NotProvable."""
    for seal in _candidates(entry):
        secret, leaves = seals.unpack(seal)
        if entry.pk not in leaves:
            continue
        if not secret:
            raise NotProvable
        index = list(leaves).index(entry.pk)
        return {
            "entry": seals.leaf_input(entry, secret).decode(),
            "leafIndex": index,
            "auditPath": [digest.hex() for digest in audit_path(index, list(leaves.values()))],
            "seal": seals.jws(seal),
        }
    raise NotSealed


def audit_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1: the hashes that lead from a leaf to the root, the lowest first."""
    if len(leaves) == 1:
        return []
    split = seals.split(len(leaves))
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*audit_path(index, left), seals.root(right)]
    return [*audit_path(index - split, right), seals.root(left)]


def _candidates(entry):
    """The seals whose range the line is in, read one by one: the first has it, or one soon after where it came late."""
    # No seal is older than its lines, but for a clock of the database that was put back a little.
    young = TrailSeal.objects.filter(purged_at=None, at__gte=entry.at - seals.SETTLED)
    number = young.order_by("at").values_list("number", flat=True).first()
    around = TrailSeal.objects.filter(first_id__lte=entry.pk, last_id__gte=entry.pk).order_by("number")
    while number and (seal := around.filter(number__gte=number).first()):
        yield seal
        number = seal.number + 1
