"""What the OpenAPI document says of the form of a text, as regular expressions of ECMA-262 (JSON Schema, 6.3.3).

They only tell: the services judge, and say in words what is wrong. Characters beyond U+FFFF are left to them, since not
every reader of a schema counts those as one.
"""

# Control and formatting characters: Unicode's categories Cc and Cf.
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_FORMAT = (
    r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
)
# Categories Zl and Zp, and letters that show as nothing.
_UNSHOWN = r"\u2028\u2029\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_HIDDEN = _CONTROL + _FORMAT + _UNSHOWN

NO_NUL = r"^[^\u0000]*$"
"""Any text but one with a NUL, which PostgreSQL has none of."""
PLAIN = rf"^[^\s{_CONTROL}{_FORMAT}]([^{_CONTROL}{_FORMAT}]*[^\s{_CONTROL}{_FORMAT}])?$"
"""No control or formatting characters, and no spaces at its ends."""
SHOWN = rf"^[^{_HIDDEN}]*$"
"""One line without characters that are not seen."""
SHOWN_LINES = rf"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f{_FORMAT}{_UNSHOWN}]*$"
"""As SHOWN, with newlines and tabs."""
SHOWN_NAME = rf"^[^{_HIDDEN}]*[^\s{_HIDDEN}][^{_HIDDEN}]*$"
"""As SHOWN, and not of spaces alone."""
SHOWN_TRIMMED = rf"^[^\s{_HIDDEN}]([^{_HIDDEN}]*[^\s{_HIDDEN}])?$"
"""As SHOWN, without spaces at its ends."""
ATTRIBUTE_NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$"
ENTITY_TAGS = r'^(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*$'
"""``If-Match`` where it is not ``*`` (RFC 9110, 13.1.1)."""
