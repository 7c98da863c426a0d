"""A secret that is shown once: in the dialog that made it, never in a session, a message or an address."""

from django.shortcuts import render


def shown_once(request, *, title, secret, advice, back, picture="", until=None):
    """The answer of a dialog that made ``secret``: the dialog is replaced, and nothing on the way keeps a copy.

    ``picture`` is the same as a QR code (a ``data:`` address), ``until`` when it stops working.
    """
    response = render(
        request,
        "admin/secret.html" if not request.headers.get("HX-Request") else "admin/parts/secret.html",
        {"title": title, "secret": secret, "advice": advice, "back": back, "picture": picture, "until": until},
    )
    response["HX-Retarget"] = "#modal-content"
    response["HX-Reselect"] = "#dialog"
    response["HX-Reswap"] = "innerHTML"
    response["Cache-Control"] = "no-store"
    return response
