"""The words of the back office: rows, acts, reasons and rights as a reader calls them."""

import re
from collections.abc import Iterable

from django.contrib.auth.models import Permission
from django.db.models import Model
from django.db.models.options import Options
from django.utils.text import capfirst
from django.utils.translation import gettext

from reuseid.admin.kit.texts.acts import ACTS, CODES, HEARTBEATS
from reuseid.admin.kit.texts.models import DEFAULT_RIGHTS, NOUNS
from reuseid.services import reasons

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def act(action: str) -> str:
    """The sentence of a trail line's action; an unknown one is spelled out."""
    if action in ACTS:
        return str(ACTS[action])
    noun, _dot, verb = action.partition(".")
    return f"{noun.replace('_', ' ').capitalize()} {verb.replace('_', ' ')}"


def reason_in_words(code: str) -> str:
    """A reason's code with its sentence in the reader's language; a code that is not in REASONS stays alone."""
    sentence = reason_sentence(code)
    return f"{code}: {sentence}" if sentence else code


def reason_sentence(code: str) -> str:
    """The sentence of a reason, of the setting or of the service; empty for an unknown one."""
    sentence = reasons.sentences().get(code)
    return gettext(sentence) if sentence else str(CODES.get(code, ""))


def heartbeat_in_words(name: str) -> str:
    """The worker or the schedule that gives the sign of life of this name."""
    return str(HEARTBEATS.get(name, name))


def name_of(obj: Model) -> str:
    """What a reader calls a row: its name, or the noun and the beginning of its id."""
    name = str(obj)
    short = _UUID.sub(lambda found: f"{found[0][:8]}…", name)
    if name == str(obj.pk) or _UUID.match(name):
        return f"{capfirst(str(obj._meta.verbose_name))} {short}"
    return short


def thing(kind: str, ident: object) -> str:
    """What a trail line or an event is about: the noun in the reader's language, and its id."""
    return f"{NOUNS[kind][0] if kind in NOUNS else kind} {ident}"


def searched(term: str, columns: Iterable[object]) -> str:
    """What was typed and what it was compared with."""
    *first, last = [str(column) for column in columns]
    compared = gettext("%(first)s or %(last)s") % {"first": ", ".join(first), "last": last} if first else last
    return gettext("“%(term)s” as %(columns)s, exactly") % {"term": term, "columns": compared}


def right_in_words(opts: Options, codename: str) -> str:
    """A right as the page of roles names it."""
    verb, _underscore, _name = codename.partition("_")
    if codename in dict(opts.permissions):
        return gettext(dict(opts.permissions)[codename])
    return f"{DEFAULT_RIGHTS[verb]} {opts.verbose_name}" if verb in DEFAULT_RIGHTS else codename


def right_named(permission: Permission) -> str:
    """A row of the rights in words; Django keeps them in English."""
    verb, _underscore, name = permission.codename.partition("_")
    if verb in DEFAULT_RIGHTS and name in NOUNS:
        return f"{DEFAULT_RIGHTS[verb]} {NOUNS[name][0]}"
    return gettext(permission.name)
