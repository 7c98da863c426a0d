"""The rules of the house, read from the code itself."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("reuseid", "mobileid")
DOORS = ("api", "admin", "device_api", "tasks", "management", "authenticator")
WRITES = {
    *("save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"),
    *("acreate", "aupdate", "adelete", "asave"),
}


def sources(*rooms):
    """Every module of the named rooms of both apps."""
    for app in APPS:
        for room in rooms:
            yield from sorted((ROOT / app).glob(f"{room}.py"))
            yield from sorted((ROOT / app / room).rglob("*.py"))


def every_source():
    for top in ("bench", "config", *APPS):
        yield from (path for path in sorted((ROOT / top).rglob("*.py")) if "migrations" not in path.parts)


def reaches_the_database(call):
    """A call of a writing method on something that is a row or a queryset, not on a dict, a set or a service module."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in WRITES:
        return False
    chain = call.func.value
    while isinstance(chain, (ast.Call, ast.Attribute, ast.Subscript)):
        if isinstance(chain, ast.Attribute) and chain.attr in {"objects", "_base_manager", "_default_manager"}:
            return True
        chain = chain.func if isinstance(chain, ast.Call) else chain.value
    return call.func.attr in {"save", "bulk_create", "bulk_update", "get_or_create", "update_or_create"} or (
        call.func.attr in {"update", "delete"} and not call.args and bool(call.keywords or call.func.attr == "delete")
    )


@pytest.mark.parametrize("path", list(sources(*DOORS)), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_door_never_writes(path):
    tree = ast.parse(path.read_text())
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and reaches_the_database(node)]
    assert not found, f"{path.relative_to(ROOT)} writes at lines {found}: call a service."


@pytest.mark.parametrize(
    ("line", "writes"),
    [
        ("user.save()", True),
        ("User.objects.create(account=a)", True),
        ("User.objects.filter(pk=1).update(status=x)", True),
        ("rows.update(status=x)", True),
        ("rows.delete()", True),
        ("users.create(account, actor=a)", False),
        ("body.update({'a': 1})", False),
        ("headers.update(other)", False),
    ],
)
def test_the_rule_knows_a_write_when_it_sees_one(line, writes):
    call = next(node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call))
    assert reaches_the_database(call) is writes


@pytest.mark.parametrize("path", list(sources("services")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_service_wakes_tasks_by_name_and_never_imports_them(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
        module = getattr(node, "module", None) or ""
        assert not any(part.endswith("tasks") for part in [module, *names]), f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"delay", "apply_async"}, f"line {node.lineno}"


@pytest.mark.parametrize("path", list(sources("services")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_service_takes_no_request_and_raises_the_projects_errors(path):
    forbidden = {"Http404", "ValidationError", "PermissionDenied", "APIException"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert "request" not in [argument.arg for argument in node.args.args], f"line {node.lineno}"
            positional = [argument.arg for argument in node.args.args]
            assert "actor" not in positional or node.name.startswith("_"), node.name
            assert not {argument.arg for argument in node.args.kwonlyargs} & {"by", "staff"}, f"{node.name}: say actor"
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            assert node.exc.func.id not in forbidden, f"line {node.lineno}"


@pytest.mark.parametrize("path", list(sources("services")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_service_builds_no_answer_of_a_door(path):
    """It returns values and raises: what is answered, `{"status": 200, "body": …}` or a problem, the door says."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            names = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            assert not ("status" in names and names & {"body", "problem"}), f"line {node.lineno}"


def public_functions(node):
    """Functions and methods that other modules may call, those of a class with what Python calls (``__init__``)."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from public_functions(child)
        elif not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        elif not child.name.startswith("_") or child.name.endswith("__"):
            yield child


def without_type(function):
    """The names of the parameters that say no type, and ``return``."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    arguments += [one for one in (function.args.vararg, function.args.kwarg) if one is not None]
    untyped = [one.arg for one in arguments if one.annotation is None and one.arg not in {"self", "cls"}]
    return untyped + ([] if function.returns is not None else ["return"])


@pytest.mark.parametrize(
    "path",
    list(sources("services", "protocol", "sdk", "waiting", "admin/kit")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_others_call_says_its_types(path):
    for function in public_functions(ast.parse(path.read_text())):
        assert not without_type(function), f"{function.name}, line {function.lineno}: {without_type(function)}"
        for one in (*function.args.args, *function.args.kwonlyargs):
            assert one.arg != "actor" or ast.unparse(one.annotation) == "Actor", (
                f"{function.name}: who acts is an Actor"
            )


@pytest.mark.parametrize(
    ("line", "untyped"),
    [
        ("def lock(user: User, *, reason: str) -> User: ...", []),
        ("def lock(user, *, reason: str): ...", ["user", "return"]),
        ("def lock(*users, **why) -> None: ...", ["users", "why"]),
        ("class Row:\n    def refuse(self, error: Error) -> None: ...", []),
        ("class Row:\n    def __init__(self, number): ...", ["number", "return"]),
        ("class _Row:\n    def __init__(self, number): ...", []),
        ("def _lock(user): ...", []),
    ],
)
def test_the_rule_knows_a_function_without_types(line, untyped):
    assert [name for function in public_functions(ast.parse(line)) for name in without_type(function)] == untyped


def docstring_lines(function):
    return len(ast.get_docstring(function, clean=False).splitlines()) if ast.get_docstring(function) else 0


@pytest.mark.parametrize("path", list(every_source()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_stays_under_400_lines_and_a_function_under_40(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1 - docstring_lines(node)
            assert length <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", list(every_source()), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_kept_in_a_cache_beside_the_counters(path):
    """What a stranger's call puts into a shared cache takes room from the limits: they are alone (`reuseid.limits`)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.module != "django.core.cache", f"line {node.lineno}"
            assert "cache_page" not in [alias.name for alias in node.names], f"line {node.lineno}"
        if isinstance(node, ast.Import):
            assert "django.core.cache" not in [alias.name for alias in node.names], f"line {node.lineno}"


@pytest.mark.parametrize("path", list(every_source()), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_for_later(path):
    text = path.read_text()
    assert not re.search(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b", text)
