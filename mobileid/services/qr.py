"""QR codes as images, and the frames of operations that are bound by them."""

import threading
import time
from typing import Annotated, TypedDict

import segno
from prometheus_client import Counter

from mobileid.models import Operation
from mobileid.services import bindings

DRAWN = Counter("mobileid_qr_frames_drawn", "QR frames made as images.")
_MASK = 4
_frames: dict[tuple, "QRFrame"] = {}
_drawing = threading.Lock()


def svg_data_uri(text: str, mask: int | None = None) -> str:
    """A QR code (ISO/IEC 18004, error correction M) as a ``data:image/svg+xml`` URI with its quiet zone.

    ``mask``: one of the eight patterns instead of the best of them, whose search is four fifths of the work.
    """
    return segno.make_qr(text, error="m", mask=mask).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")


class QRFrame(TypedDict):
    """What the page shows in this second."""

    t: Annotated[int, "Unix seconds; a phone takes it from a second before to three after."]
    qrUri: Annotated[str, "The content of the QR code."]
    qr: Annotated[str, "The QR code as an SVG data URI."]


def frame(operation: Operation, t: int) -> QRFrame:
    """``t``, ``qrUri`` and ``qr`` of one second (Unix time), made once in this process however many look.

    What a frame says is random to begin with, so that any mask spreads it well enough; a phone reads them all.
    """
    with _drawing:
        found = _frames.get((operation.pk, t))
        if found is None:
            _forget()
            uri = bindings.qr_frame(operation, t)
            found = _frames[operation.pk, t] = {"t": t, "qrUri": uri, "qr": svg_data_uri(uri, _MASK)}
            DRAWN.inc()
    return found


def _forget():
    """Frames of seconds that are over; so what is kept is bounded by what is shown."""
    now = int(time.time())
    for key in [key for key in _frames if key[1] < now]:
        del _frames[key]
