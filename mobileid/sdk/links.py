"""What a phone scans or opens: `{server}/mobileid/app#register?…` and `…#operation?…` (section 6)."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from mobileid.protocol import wire
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.errors import InputInvalid, RegistrationInvalid

_PATH = "/mobileid/app"
_LIMIT = 2048


@dataclass(frozen=True)
class RegisterLink:
    """An activation code and the application that it is for. It pins nothing: the configuration does."""

    server: str
    application_id: str
    code: str


@dataclass(frozen=True)
class OperationLink:
    """A claim on an operation: alone from an app link, with `t` and `m` from a QR frame."""

    server: str
    claim: str
    t: int | None = None
    m: str | None = None

    def body(self) -> dict[str, str | int]:
        """What `operations/start` takes."""
        if self.t is None or self.m is None:
            return {"claim": self.claim}
        return {"claim": self.claim, "t": self.t, "m": self.m}


def _parts(uri: str) -> tuple[str, str, dict[str, str]]:
    """`(server, what, parameters)`; each parameter at most once, the rest is `InputInvalid`."""
    try:
        if len(uri) > _LIMIT:
            raise ValueError
        url = urlsplit(uri.strip())
        what, _, query = url.fragment.partition("?")
        found = parse_qs(query, strict_parsing=True, max_num_fields=8)
    except ValueError:
        raise InputInvalid("This is not a link of this service.") from None
    if url.scheme not in ("https", "http") or url.path != _PATH or any(len(v) != 1 for v in found.values()):
        raise InputInvalid("This is not a link of this service.")
    return f"{url.scheme}://{url.netloc}", what, {name: values[0] for name, values in found.items()}


def parse_register(uri: str) -> RegisterLink:
    """Read an activation link; `InputInvalid` when it is anything else."""
    server, what, found = _parts(uri)
    try:
        if what != "register":
            raise ValueError
        return RegisterLink(server, found["app"], wire.normalise_activation_code(found["code"]))
    except (KeyError, ValueError):
        raise InputInvalid("This is not an activation link.") from None


def activation_code(typed: str, config: ApplicationConfig) -> str:
    """The code in what a person typed, or in an activation link for this application, in its normal form.

    `InputInvalid` for a link of another one; `RegistrationInvalid` for what can't be a code.
    """
    if "#" in typed:
        link = parse_register(typed)
        if (link.server, link.application_id) != (config.server, config.application_id):
            raise InputInvalid("This activation link is for another app.")
        typed = link.code
    try:
        return wire.normalise_activation_code(typed)
    except ValueError:
        raise RegistrationInvalid from None


def parse_operation(uri: str) -> OperationLink:
    """Read an operation's QR frame or app link; `InputInvalid` when it is anything else."""
    server, what, found = _parts(uri)
    t, m = found.get("t"), found.get("m")
    framed = t is not None or m is not None
    if what != "operation" or "claim" not in found:
        raise InputInvalid("This is not a link to a request.")
    if not framed:
        return OperationLink(server, found["claim"])
    if t is None or m is None or not (t.isascii() and t.isdigit() and len(t) < 16):
        raise InputInvalid("This is not a link to a request.")
    return OperationLink(server, found["claim"], int(t), m)
