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
	msgattrib --no-obsolete --no-wrap --output-file config/locale/de/LC_MESSAGES/django.po config/locale/de/LC_MESSAGES/django.po
	sed -i '/^"POT-Creation-Date\|^"Report-Msgid-Bugs-To/d' config/locale/de/LC_MESSAGES/django.po
	$(BIN)/python manage.py compilemessages --locale de --ignore '.venv' --verbosity 0

screenshots: $(READY) ## take the pictures of docs/images anew (needs Chromium)
	SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_screenshots.py

requirements: $(READY) ## pin everything anew, with hashes, for Python 3.11 and newer (run it on 3.11)
	$(BIN)/pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
		--strip-extras --extra test --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file requirements.txt pyproject.toml

clean: ## forget the environment and all state
	rm -rf $(VENV) var

# Wheels only, each with its hash: nothing of a package runs while it is installed.
$(READY): requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed: install it, or name it with PYTHON=…" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.txt
	@touch $@
