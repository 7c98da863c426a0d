"""In front of the service: a first page, and the guides of docs/ at ``/api/docs/`` beside the OpenAPI document."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

FOLDER = settings.BASE_DIR / "docs"
# What guides show and point to, beside each other.
TYPES = {".png": "image/png", ".json": "application/json", ".yaml": "application/yaml"}
_NO_WORD = re.compile(r"[^\w\- ]")
_ELSEWHERE = re.compile(r"[a-z]+:|#|/")


@require_safe
def front(request):
    """``/``: where everything is."""
    return render(request, "front.html")


@require_safe
def guide(request, name):
    """``/api/docs/NAME``: docs/NAME.md as a page, or a file beside it as it is; 404 for whatever is not in docs/."""
    path = _files().get(name)
    if path is None:
        raise Http404
    if path.suffix in TYPES:
        return HttpResponse(path.read_bytes(), content_type=TYPES[path.suffix])
    title, text = _rendered(path)
    return render(request, "reuseid/guide.html", {"title": title, "text": text})


@cache
def _files() -> dict[str, Path]:
    """All that is served, by its name: only these, so that no name leads out of the folder."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        name = path.relative_to(FOLDER)
        if path.suffix == ".md":
            found[str(name.with_suffix(""))] = path
        elif path.suffix in TYPES:
            found[str(name)] = path
    return found


@cache
def _rendered(path: Path) -> tuple[str, str]:
    """Title and HTML: CommonMark with tables; HTML in the text is shown as text."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    title = path.stem
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[number + 1].content
            token.attrSet("id", _NO_WORD.sub("", words.lower()).replace(" ", "-"))
            title = words if token.tag == "h1" else title
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("href", _target(path, str(inner.attrGet("href"))))
    return title, mark_safe(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S308 - escaped by it


def _target(path, href):
    """Another guide without its ``.md``; what is not served stays within the page."""
    if _ELSEWHERE.match(href):
        return href
    file, mark, anchor = href.partition("#")
    if (path.parent / file).resolve() not in {served.resolve() for served in _files().values()}:
        return "#"
    return f"{file.removesuffix('.md')}{mark}{anchor}"
