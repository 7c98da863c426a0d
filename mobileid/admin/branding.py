"""How an application looks on a phone: colours and whether its text can be read (WCAG 2.2, contrast)."""

from django.template.loader import render_to_string

BACKGROUND, TEXT = "#1d4ed8", "#ffffff"
ENOUGH = 4.5


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 to 1."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def colours(application) -> tuple[str, str]:
    """Background and text; where only the background is given, the text is what can be read upon it."""
    background = application.brand_colour or BACKGROUND
    readable = max(("#ffffff", "#000000"), key=lambda text: contrast(background, text))
    return background, application.brand_text_colour or readable


def ratio(application) -> float:
    """The contrast of its text."""
    return contrast(*colours(application))


def preview(application) -> str:
    """The top of the authenticator as it would look, and a warning where its text can't be read well."""
    background, text = colours(application)
    values = {
        "application": application,
        "name": application.brand_name or application.account.name,
        "background": background,
        "text": text,
        "ratio": f"{ratio(application):.1f}",
        "poor": ratio(application) < ENOUGH,
    }
    return render_to_string("admin/parts/branding.html", values)
