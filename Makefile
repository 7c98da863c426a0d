# `make demo` and `make test` need Python 3.11 or newer and nothing else; everything they make is in .venv/ and var/.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test lint requirements openapi messages screenshots clean
.DEFAULT_GOAL := help

help: ## show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(READY) ## start everything on PORT and play the main job; ARGS=--once ends after the play
	@PORT=$(PORT) exec $(BIN)/python manage.py demo $(ARGS)

test: $(READY) ## run the tests; DATABASE_URL and REDIS_URL choose PostgreSQL and Redis
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(READY) ## style, layers, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

openapi: $(READY) ## write docs/openapi.yaml anew
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

messages: $(READY) ## gather the back office's texts into config/locale and compile them (needs gettext)
	$(BIN)/python manage.py makemessages --locale de --no-location --no-wrap --ignore '.venv/*' --ignore 'var/*' --ignore 'docs/*' \
		--ignore 'tests/*' --verbosity 0
	msgattrib --no-obsolete --no-wrap --sort-output --output-file config/locale/de/LC_MESSAGES/django.po config/locale/de/LC_MESSAGES/django.po
	sed -i '/^"POT-Creation-Date\|^"Report-Msgid-Bugs-To/d' config/locale/de/LC_MESSAGES/django.po
	$(BIN)/python manage.py compilemessages --locale de --ignore '.venv' --verbosity 0

screenshots: $(READY) ## take the pictures of docs/images anew (needs Chromium)
	SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_screenshots.py

requirements: ## pin what is new, for every Python and platform; ARGS=--upgrade takes the newest of everything
	$(PYTHON) -m venv $(VENV)/uv && $(VENV)/uv/bin/pip install --quiet --disable-pip-version-check uv
	$(VENV)/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --only-binary :all: \
		--generate-hashes --no-emit-index-url --no-emit-find-links --extra test \
		--custom-compile-command "make requirements" --output-file requirements.txt $(ARGS) pyproject.toml >/dev/null

clean: ## forget the environment and all state
	rm -rf $(VENV) var

# Wheels only, each with its hash: nothing of a package runs while it is installed. What pip is about is told in one line
# that is written over, and where nobody watches a terminal in a line for each tenth package.
INSTALL = $(BIN)/pip install --disable-pip-version-check --no-color --progress-bar off --require-hashes --only-binary :all:
$(READY): requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed: install it, or name it with PYTHON=…" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON); this is done once, and takes a minute or two …"
	@$(PYTHON) -m venv $(VENV)
	@all=$$(grep -c '==' requirements.txt); count=0; rm -f $@; \
	{ $(INSTALL) -r requirements.txt && touch $@; } | while read -r word what rest; do case $$word in \
		Collecting|Processing) count=$$((count + 1)); now="  fetching $$count of about $$all: $${what##*/}" ;; \
		Installing) count=0; now="  unpacking them …" ;; \
		*) continue ;; esac; \
		if [ -t 1 ]; then printf '\r\033[K%.100s' "$$now"; elif [ $$((count % 10)) = 0 ]; then echo "$$now"; fi; done; \
	[ ! -t 1 ] || printf '\r\033[K'; test -e $@
