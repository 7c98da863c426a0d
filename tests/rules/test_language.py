"""Every text that colleagues see can be translated, and German has all of them."""

import ast
import re

import polib
import pytest
from django.apps import apps
from django.contrib import admin
from django.utils.translation import override
from django.utils.translation.template import templatize

from reuseid.admin.kit.texts.models import BETTER, COLUMNS, NOUNS
from reuseid.models import kind_of
from tests.rules.test_house import ROOT, every_source

GERMAN = ROOT / "config" / "locale" / "de" / "LC_MESSAGES"
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
ADMIN = [
    *sorted((ROOT / "reuseid" / "admin").rglob("*.py")),
    *sorted((ROOT / "mobileid" / "admin").rglob("*.py")),
    ROOT / "config" / "backoffice.py",
]
TEXT_IN_TEMPLATE = re.compile(r"""gettext\(u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""")
# Not for people: header names, column types, the names of algorithms, formats.
NOT_WORDS = re.compile(
    r"HX-\w+|Cache-Control|\w+Field|X-?\w+|%Y.*|[A-Z][a-z]+-[A-Z]\w+|Ed25519.*|Example Shop|Order 1|ReuseID / MobileID"
)


def marked(call):
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    return name in MARKS


def texts_of(path):
    """The texts that a module marks for translation."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and marked(node):
            plain = [item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
            # Of a plural the first names the entry, of a context the second.
            yield from plain[1:] if getattr(node.func, "id", "").startswith("pgettext") else plain[:1]


def texts_of_template(path):
    """The texts of a template, as makemessages reads them."""
    for _whole, quoted in re.findall(
        r"(\bn?gettext\((u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")))", templatize(path.read_text())
    ):
        yield ast.literal_eval(quoted.lstrip("u"))


@pytest.fixture(scope="module")
def german():
    return polib.pofile(GERMAN / "django.po")


def test_german_has_every_text_and_no_other(german):
    texts = {text for path in every_source() for text in texts_of(path)}
    texts |= {text for path in (ROOT / "templates").rglob("*.html") for text in texts_of_template(path)}
    known = {entry.msgid for entry in german}
    assert texts - known == set(), "make messages, then translate"
    assert known - texts == set(), "make messages: these texts are gone"


def test_german_leaves_nothing_empty_or_unsure(german):
    assert german.fuzzy_entries() == []
    assert [entry.msgid for entry in german.untranslated_entries()] == []
    assert german.obsolete_entries() == []


def test_german_keeps_every_placeholder(german):
    def holders(text):
        return sorted(re.findall(r"%\(\w+\)[sd]|%%|%[sd]|</?\w+", text))

    wrong = [
        entry.msgid
        for entry in german
        for text in ([entry.msgstr] if not entry.msgid_plural else entry.msgstr_plural.values())
        if holders(text) not in (holders(entry.msgid), holders(entry.msgid_plural or entry.msgid))
    ]
    assert wrong == []


def test_the_compiled_catalogue_is_the_written_one(german):
    compiled = polib.mofile(GERMAN / "django.mo")
    assert {(e.msgid, e.msgstr, str(e.msgstr_plural)) for e in compiled} == {
        (e.msgid, e.msgstr, str(e.msgstr_plural)) for e in german
    }


def bare_words(path):
    """Texts in an admin module that begin like a sentence or a label and are not marked."""
    tree = ast.parse(path.read_text())
    passed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            marked(node) or getattr(getattr(node.func, "value", None), "id", "") == "log"
        ):
            passed |= {id(item) for item in ast.walk(node)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        elif isinstance(node, ast.Dict):
            passed |= {id(key) for key in node.keys}
        elif isinstance(node, ast.Subscript):
            passed |= {id(item) for item in ast.walk(node.slice)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in passed else None
        if isinstance(text, str) and re.match(r"[A-Z][a-z]", text) and not NOT_WORDS.fullmatch(text):
            yield node.lineno, text


@pytest.mark.parametrize("path", ADMIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_text_of_the_back_office_is_marked_for_translation(path):
    assert list(bare_words(path)) == []


def test_the_rule_knows_a_bare_text_when_it_sees_one(tmp_path):
    module = tmp_path / "page.py"
    module.write_text('"""Doc."""\nrows = [("Model", _("Made")), f"Made by {who}"]\nanswer["HX-Request"] = "x"\n')
    assert [text for _line, text in bare_words(module)] == ["Model", "Made by "]


@pytest.mark.parametrize("path", ADMIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_field_of_a_form_has_a_label_of_its_own(path):
    """Django would make one of the field's name in code: English, whatever the reader's language."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    fields = [call for call in calls if re.fullmatch(r"forms\.\w+Field", ast.unparse(call.func))]
    assert [call.lineno for call in fields if "label" not in {keyword.arg for keyword in call.keywords}] == []


def shown_columns():
    """Columns that a list or a page of the back office shows under the model's own name for them."""
    for model, page in admin.site._registry.items():
        names = {*page.list_display, *page.shown, *page.search_exact, *(page.fields or ())}
        for field in model._meta.fields:
            if field.name in names or field.attname in names or ("pk" in names and field.primary_key):
                yield f"{model.__name__}.{field.name}", field.verbose_name


def test_every_noun_and_every_shown_column_has_a_german_word(german):
    models = [model for label in ("reuseid", "mobileid") for model in apps.get_app_config(label).get_models()]
    assert {kind_of(model) for model in models} - set(NOUNS) == set()
    with override("en"):
        shown = {place: str(name) for place, name in shown_columns()}
    words = COLUMNS | {str(noun) for pair in (*NOUNS.values(), BETTER.values()) for noun in pair}
    ours = {place: name for place, name in shown.items() if not place.startswith(("Group.", "Staff."))}
    assert {place: name for place, name in ours.items() if name not in words} == {}
