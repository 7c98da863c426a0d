"""A terminal authenticator: `python -m mobileid.sdk --store DIR COMMAND`.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the service cannot be reached, 4 it cannot be
trusted.
"""

import argparse
import contextlib
import os
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path

from mobileid.sdk.challenge import Challenge, Outcome
from mobileid.sdk.channel import Channel
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.device import Device
from mobileid.sdk.errors import (
    AlreadyRegistered,
    AuthenticationFailed,
    DeviceUnusable,
    InputInvalid,
    MobileIdError,
    OperationClosed,
    PinInvalid,
    RegistrationInvalid,
    TransportError,
    TrustError,
)
from mobileid.sdk.filestore import FileStore
from mobileid.sdk.links import activation_code
from mobileid.sdk.registration import NAME_LIMIT, Registered, RegistrationOffer
from mobileid.sdk.state import DeviceState
from mobileid.sdk.terminal import TRIES, ask, confirm, explain, hidden, new_pin, show, tries_left, visible, warn, when
from mobileid.sdk.transport import HttpTransport

_WHOLE_ID = re.compile(r"[0-9a-fA-F-]{36}\Z")


def _common() -> argparse.ArgumentParser:
    """What may stand before COMMAND or after it."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--store", type=Path, metavar="DIR", help="where this phone's keys are kept; needed")
    common.add_argument(
        "--passphrase", action="store_true", help="the store is encrypted: ask, or take $MOBILEID_PASSPHRASE"
    )
    common.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the application configuration, or what `create_account --json` printed; needed to register",
    )
    return common


def _parser() -> argparse.ArgumentParser:
    common = _common()
    parser = argparse.ArgumentParser(
        prog="python -m mobileid.sdk", description="A terminal authenticator.", parents=[common]
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[common])
        command.set_defaults(run=run)
        return command

    register = add("register", _register, "register this phone with an activation code or link")
    register.add_argument("code", nargs="?", help="asked for when left out")
    register.add_argument("--name", help="the name for this phone; asked for when left out")
    add("pending", _pending, "list the requests that wait for this phone")
    for name, run, text in (
        ("show", _show, "show what a request asks"),
        ("approve", _approve, "show a request and approve it"),
        ("reject", _reject, "reject a request"),
    ):
        command = add(name, run, text)
        command.add_argument(
            "operation",
            nargs="?",
            help="operation id or how it begins, or the text of a QR code or app link; "
            "may be left out when one request waits",
        )
        if name == "approve":
            command.add_argument("--yes", action="store_true", help="do not ask again after showing it")
            command.add_argument("--number", help="the number on the other screen; asked for when needed")
        if name == "reject":
            command.add_argument("--not-me", action="store_true", help="report that you did not start this")
    add("status", _status, "show what the service knows of this phone")
    add("rename", _rename, "give this phone another name").add_argument("name")
    add("change-pin", _change_pin, "change the PIN")
    add("deactivate", _deactivate, "end this phone's registration and erase its keys").add_argument(
        "--yes", action="store_true", help="do not ask"
    )
    return parser


def _store(arguments: argparse.Namespace) -> FileStore:
    passphrase = None
    if arguments.passphrase:
        passphrase = os.environ.get("MOBILEID_PASSPHRASE") or hidden("Passphrase of the store: ")
    return arguments.stack.enter_context(FileStore(arguments.store, passphrase))  # type: ignore[no-any-return]


def _device(arguments: argparse.Namespace) -> Device:
    store = _store(arguments)
    config = ApplicationConfig.from_file(arguments.config) if arguments.config else Device.config_of(store)
    return Device.load(store, config=config, transport=_transport(arguments, config))


def _transport(arguments: argparse.Namespace, config: ApplicationConfig) -> HttpTransport:
    arguments.server = config.server
    return arguments.stack.enter_context(HttpTransport(config.server))  # type: ignore[no-any-return]


def _challenge(arguments: argparse.Namespace) -> tuple[Device, Challenge]:
    """The named request, shown."""
    device, what = _device(arguments), arguments.operation
    if what is not None and "#" in what:
        challenge = device.start_operation(qr=what)
    else:
        challenge = device.start_operation(_operation_id(device, what or ""))
    show(challenge)
    return device, challenge


def _operation_id(device: Device, beginning: str) -> str:
    if _WHOLE_ID.match(beginning):
        return beginning.lower()
    waiting = [one.operation_id for one in device.pending() if one.operation_id.startswith(beginning.lower())]
    if len(waiting) == 1:
        return waiting[0]
    if beginning:
        raise InputInvalid(
            f"{'Several requests begin' if waiting else 'No request that waits begins'} with {beginning}."
        )
    raise InputInvalid(
        "Several requests wait: name one (see `pending`)." if waiting else "Nothing waits for this phone."
    )


def _register(arguments: argparse.Namespace) -> None:
    if not arguments.config:
        raise InputInvalid("Registering needs --config: the service must be known before it is trusted.")
    config = ApplicationConfig.from_file(arguments.config)
    store = _store(arguments)
    if DeviceState.exists(store):
        raise AlreadyRegistered
    transport = _transport(arguments, config)
    if _resume(config, store, transport, other_code=arguments.code):
        return
    code = activation_code(arguments.code or ask("Activation code: "), config)
    name = arguments.name or _own_name()
    # Everything is asked before the code is traded, which is done once: who stops at a question has lost nothing.
    policy = Channel(config, store, transport).documents.fetch()
    pin = new_pin(policy.pin) if "DEVICE_PIN" in policy.auth_methods else None
    offer = Device.start_registration(config, code, store, transport=transport)
    print(f"{visible(str(offer.account.get('name', '')))}  {visible(offer.user_hint or '')}".rstrip())
    _finish(offer, name, pin)


def _resume(config: ApplicationConfig, store: FileStore, transport: HttpTransport, *, other_code: str | None) -> bool:
    """Finish a registration that was cut short, if there is one; with another code it may come to nothing."""
    offer = Device.resume_registration(store, config=config, transport=transport)
    if offer is None:
        return False
    warn("A registration was cut short. It is finished with the PIN that was chosen.")
    try:
        _tell_registered(offer.finish(pin=hidden("PIN: ") if "DEVICE_PIN" in offer.auth_methods else None))
    except RegistrationInvalid as error:
        if not other_code:
            raise
        warn(explain(error))
        return False
    return True


def _own_name() -> str:
    default = platform.node()[:NAME_LIMIT] or "Terminal"
    return ask(f"Name of this phone [{default}]: ") or default


def _finish(offer: RegistrationOffer, name: str, pin: str | None) -> None:
    """With the PIN that was chosen, or another where the application's rules have changed meanwhile."""
    if "DEVICE_PIN" not in offer.auth_methods:
        pin = None
    else:
        try:
            offer.pin_rules.check(pin or "")
        except PinInvalid as error:
            warn(str(error))
            pin = new_pin(offer.pin_rules)
    _tell_registered(offer.finish(pin=pin, name=name))


def _tell_registered(done: Registered) -> None:
    print(f"Registered: {done.device.device_id}")
    if done.state == "PENDING":
        print(f"To be confirmed with the code {done.confirmation_code}")


def _pending(arguments: argparse.Namespace) -> None:
    found = _device(arguments).pending()
    for one in found:
        print(f"{one.operation_id}  {one.type}  until {when(one.expires_at)}  {visible(one.title)}".rstrip())
    if not found:
        warn("Nothing waits for this phone.")


def _show(arguments: argparse.Namespace) -> None:
    _challenge(arguments)


def _approve(arguments: argparse.Namespace) -> None:
    device, challenge = _challenge(arguments)
    number = arguments.number
    if challenge.binding == "NUMBER" and number is None:
        number = ask("Number on the other screen: ")
    if not arguments.yes and not confirm("Approve?"):
        raise InputInvalid("Not approved.")
    for attempt in range(1, TRIES + 1):
        pin = hidden("PIN: ") if "DEVICE_PIN" in challenge.auth_methods else None
        try:
            return _tell(challenge.approve(pin=pin, number=number))
        except AuthenticationFailed:
            if pin is None:
                raise
            refused = _wrong_pin(device)
        if attempt == TRIES:
            raise refused
        warn(str(refused))
        challenge.restart()
    raise AssertionError("the last try returns or raises")


def _wrong_pin(device: Device) -> AuthenticationFailed:
    """With how many tries are left, which the service tells in `status` alone; locked is `DeviceUnusable`."""
    try:
        status = device.status()
    except TransportError:
        return AuthenticationFailed("Not accepted.")
    if status.state != "ACTIVE":
        raise DeviceUnusable(problem={"state": status.state, "lockedUntil": status.locked_until})
    return AuthenticationFailed(tries_left(status))


def _reject(arguments: argparse.Namespace) -> None:
    _, challenge = _challenge(arguments)
    _tell(challenge.reject("NOT_ME" if arguments.not_me else "USER"))


def _tell(outcome: Outcome) -> None:
    print(outcome.state)
    if outcome.state == "FAILED":
        raise OperationClosed("The service ended the request: the number was wrong.")
    if outcome.return_link:
        print(f"Go on at {visible(outcome.return_link)}")


def _status(arguments: argparse.Namespace) -> None:
    device = _device(arguments)
    status = device.status()
    print(f"name           {visible(status.name)}")
    print(f"device         {device.device_id}")
    print(f"service        {device.channel.config.server}")
    print(
        f"state          {visible(status.state)}"
        + (f" until {when(status.locked_until)}" if status.locked_until else "")
    )
    print(f"PIN tries left {status.attempts_left}")
    print(f"methods        {visible(', '.join(status.auth_methods))}")


def _rename(arguments: argparse.Namespace) -> None:
    _device(arguments).rename(arguments.name)
    print("Renamed.")


def _change_pin(arguments: argparse.Namespace) -> None:
    device = _device(arguments)
    rules = device.pin_rules
    old = hidden("Present PIN: ")
    try:
        device.change_pin(old, new_pin(rules))
    except AuthenticationFailed:
        raise _wrong_pin(device) from None
    print("The PIN is changed.")


def _deactivate(arguments: argparse.Namespace) -> None:
    device = _device(arguments)
    if not arguments.yes and not confirm(f"Deactivate {visible(device.name)} for good?"):
        raise InputInvalid("Nothing was changed.")
    device.deactivate()
    print("Deactivated.")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv, argparse.Namespace(store=None, config=None, passphrase=False, server=""))
    if arguments.store is None:
        parser.error("the following arguments are required: --store")
    try:
        with contextlib.ExitStack() as arguments.stack:
            arguments.run(arguments)
    except MobileIdError as error:
        warn(explain(error, arguments.server))
        return 3 if isinstance(error, TransportError) else 4 if isinstance(error, TrustError) else 1
    except KeyboardInterrupt:
        warn("\nStopped.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
