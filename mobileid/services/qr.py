"""QR codes as images."""

import segno


def svg_data_uri(text: str) -> str:
    """A QR code (ISO/IEC 18004, error correction M) as a ``data:image/svg+xml`` URI with its quiet zone."""
    return segno.make_qr(text, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
