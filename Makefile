# Two commands: `make run` and `make test`. Everything that they need is installed under this
# directory (.venv, .local); `rm -rf .venv .local` undoes all of it, your local data included.

PORT ?= 8000

# The first Python of 3.11 or newer.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$each; break; }; done)

BIN := .venv/bin
MINISTACK := .local/ministack-venv/requirements.sha256
PIP_INSTALL := -m pip --disable-pip-version-check --quiet install --require-hashes

.PHONY: run test bench lint lint-infra audit format tables manage messages requirements environments
.DEFAULT_GOAL := run

run:
	@$(MAKE) --no-print-directory --silent -j2 environments
	@exec $(BIN)/python -m filevault.local run --port $(PORT)

test:
	@$(MAKE) --no-print-directory --silent -j2 environments .venv/dev.stamp
	@exec $(BIN)/python -m tests.run

# Transfers against `curl -T`, recovery, memory (bench/README.md). Needs curl, a Chromium (on PATH, or
# named by CHROMIUM), 8 GB of memory and about ten minutes. Options: make bench ARGS="--only speed"
bench:
	@$(MAKE) --no-print-directory --silent -j2 environments .venv/dev.stamp
	@exec $(BIN)/python -m bench.transfer $(ARGS)

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive \
		accounts cases files filevault tools manage.py gunicorn.conf.py

# Hold what production installs against the published advisories, where their service is reachable.
audit: .venv/dev.stamp
	@$(BIN)/python -m tools.audit_dependencies

# What Terraform would make, held against checkov's rules. A rule that is left out says why in its place.
lint-infra: .local/checkov-venv/requirements.stamp
	@.local/checkov-venv/bin/checkov --directory infra --framework terraform --compact --quiet --skip-download

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@command -v terraform >/dev/null && terraform fmt -recursive infra tests/infra || true

# The tables' keys and indexes for Terraform, from the code's own classes.
tables: .venv/dev.stamp
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py describe_tables \
		>infra/modules/tables/tables.json

# A management command on the local stack, as in: make manage ARGS="verify_audit"
manage: .venv/run.stamp
	@exec $(BIN)/python -m filevault.local exec -- $(BIN)/python manage.py $(ARGS)

# Gather the interface's texts for locale/de and compile them; needs GNU gettext (apt-get install
# gettext). Who changed no text needs neither: the compiled catalog is part of the project.
messages: .venv/run.stamp
	$(BIN)/django-admin makemessages --locale de --no-location --no-obsolete \
		--ignore ".venv" --ignore ".local" --ignore "tests" --ignore "staticfiles"
	$(BIN)/django-admin compilemessages --locale de --ignore ".venv" --ignore ".local"

# Compile the pinned, hashed requirement files anew from the .in files.
requirements: .local/uv/bin/uv
	$(UV_COMPILE) requirements.in -o requirements.txt
	$(UV_COMPILE) requirements-dev.in -o requirements-dev.txt
	$(UV_COMPILE) filevault/local/ministack.in -o filevault/local/ministack.txt
	$(UV_COMPILE) infra/checkov.in -o infra/checkov.txt

UV_COMPILE = $< pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make requirements"

environments: .venv/run.stamp $(MINISTACK)

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "Installing Filevault into .venv ..."
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@echo "Installing the tools for tests into .venv ..."
	@$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(MINISTACK): filevault/local/ministack.txt | .venv/bin/python
	@echo "Installing the local AWS into .local ..."
	@$(BIN)/python -m filevault.local.ministack
	@touch $@

.local/checkov-venv/requirements.stamp: infra/checkov.txt | .venv/bin/python
	@echo "Installing checkov into .local ..."
	@$(BIN)/python -m venv --clear .local/checkov-venv
	@.local/checkov-venv/bin/python $(PIP_INSTALL) -r infra/checkov.txt
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Filevault needs Python 3.11 or newer, and none was found." \
		"Install it, or name it: make run PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python could not make a virtual environment." \
		"On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.local/uv/bin/uv: | .venv/bin/python
	@$(BIN)/python -m venv .local/uv
	@.local/uv/bin/python -m pip --disable-pip-version-check --quiet install uv
