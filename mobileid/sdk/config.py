"""The application configuration: which service, which application, and whom to trust for it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from mobileid.protocol import wire
from mobileid.sdk.errors import ConfigurationInvalid

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def anchor_key(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    """The P-256 key of a trust anchor's public JWK; a private one is refused, as is anything else."""
    try:
        if (jwk["kty"], jwk["crv"]) != ("EC", "P-256") or "d" in jwk:
            raise ConfigurationInvalid("The trust anchor is not a P-256 public key.")
        x, y = wire.unb64u(jwk["x"]), wire.unb64u(jwk["y"])
        if len(x) != 32 or len(y) != 32:
            raise ConfigurationInvalid("The trust anchor is not a P-256 public key.")
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + x + y)
    except (KeyError, TypeError, ValueError):
        raise ConfigurationInvalid("The trust anchor is not a P-256 public key.") from None


@dataclass(frozen=True)
class ApplicationConfig:
    """What an app is built with, pinned: nothing received later replaces it but a signed roll-over of the
    anchor.

    `server` is an origin such as `https://id.example.com`; plain http is for loopback only.
    """

    server: str
    application_id: str
    trust_anchor: Mapping[str, Any]

    def __post_init__(self) -> None:
        try:
            url = urlsplit(self.server)
            host, _port = url.hostname, url.port
        except ValueError:
            raise ConfigurationInvalid("The server is not a URL.") from None
        if url.scheme != "https" and not (url.scheme == "http" and host in _LOOPBACK):
            raise ConfigurationInvalid("The server must be an https URL.")
        if not host or url.path.strip("/") or url.query or url.fragment or url.username:
            raise ConfigurationInvalid("The server must be an origin, without path or query.")
        object.__setattr__(self, "server", f"{url.scheme}://{url.netloc}")
        if not isinstance(self.application_id, str) or not _UUID.match(self.application_id):
            raise ConfigurationInvalid("The application id must be a lower-case UUID.")
        anchor_key(self.trust_anchor)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ApplicationConfig":
        """From `{"applicationId", "server", "trustAnchor"}`, alone or as the member `application` of what
        `manage.py create_account --json` prints.

        Other members are ignored: the printed text also has things that are not for apps.
        """
        if isinstance(data, Mapping) and isinstance(data.get("application"), Mapping):
            data = data["application"]
        try:
            server, application_id, anchor = data["server"], data["applicationId"], data["trustAnchor"]
        except (KeyError, TypeError):
            raise ConfigurationInvalid("server, applicationId and trustAnchor are needed.") from None
        if not isinstance(server, str) or not isinstance(anchor, Mapping):
            raise ConfigurationInvalid
        return cls(server, application_id, dict(anchor))

    @classmethod
    def from_json(cls, text: str | bytes) -> "ApplicationConfig":
        """From the JSON of `from_dict`."""
        try:
            data = wire.loads_strict(text.encode() if isinstance(text, str) else text)
        except ValueError:
            raise ConfigurationInvalid("The configuration is not JSON.") from None
        return cls.from_dict(data)

    @classmethod
    def from_file(cls, path: str | Path) -> "ApplicationConfig":
        """From a file with that JSON."""
        try:
            return cls.from_json(Path(path).read_bytes())
        except OSError as error:
            raise ConfigurationInvalid(f"The configuration cannot be read: {error.strerror}.") from None

    def to_dict(self) -> dict[str, Any]:
        """The inverse of `from_dict`."""
        return {
            "server": self.server,
            "applicationId": self.application_id,
            "trustAnchor": json.loads(json.dumps(dict(self.trust_anchor))),
        }
