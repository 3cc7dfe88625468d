# Aliases of `corral`. STACK=name chooses the stack, Q="question" goes to chat, ARGS="…" to the command.
STACK ?= dev
Q ?= What is the capital of France?
MODEL ?=
ARGS ?=
ONLY ?=
# Those whose programs tests run; that of scaling is for who asks for it, as KEDA takes minutes to build.
ADDONS := observability kueue envoy-gateway token-limits $(if $(CORRAL_SCALING),keda) $(if $(CORRAL_LOCAL_CACHE),model-cache) \
  $(if $(CORRAL_EXTERNAL_SECRETS),external-secrets) $(if $(CORRAL_LLMISVC),llm-inference-service)
SITE ?= build/site
DOCS := docs
PYTHON ?= python3
export STACK

BIN := .venv/bin
CORRAL := $(BIN)/corral
STAMP := .venv/.installed
APT := DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20

.DEFAULT_GOAL := help
.PHONY: help up stop down status logs plan chat kubectl lint lock init setup test browser promtool amtool check docs pictures bench venv

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(STAMP) ## Everything: programs, plane, platform; ends with what runs
	@$(CORRAL) up $(ARGS)

chat: $(STAMP) ## Ask a model: make chat Q="question" [MODEL=name]
	@$(CORRAL) chat $(MODEL) "$$Q"
chat: export Q := $(Q)

plan: $(STAMP) ## What the stack becomes, without engine or plane
	@$(CORRAL) plan $(ARGS)

status: $(STAMP) ## What runs, and as what
	@$(CORRAL) status

logs: $(STAMP) ## Output of a pod or part: make logs ARGS=pod
	@$(CORRAL) logs $(ARGS)

kubectl: $(STAMP) ## make kubectl ARGS="get pods -A"
	@$(CORRAL) kubectl $(ARGS)

stop: $(STAMP) ## End every process, keep data
	@$(CORRAL) stop

down: $(STAMP) ## End every process, discard data and state
	@$(CORRAL) down --yes

init: $(STAMP) ## Make the stack's secrets
	@$(CORRAL) init

lint: $(STAMP) ## Check the stack files
	@$(CORRAL) lint

lock: $(STAMP) ## Resolve the digests of charts and images
	@$(CORRAL) lock $(ARGS)

setup: $(STAMP) ## Bring the programs of the embedded platform
	@$(CORRAL) setup

test: $(STAMP) browser promtool amtool ## All tests
	@$(CORRAL) setup $(ADDONS:%=--addon %)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

browser: ## Chromium for the tests that open a page, where root has apt-get
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  echo "installing chromium for the tests that open a page" >&2 && $(APT) update >/dev/null 2>&1 && \
	  $(APT) install -y --no-install-recommends chromium >/dev/null 2>&1; } || \
	  echo "corral: there is no chromium, and tests that open a page are skipped" >&2

PACKAGE_promtool := prometheus
PACKAGE_amtool := prometheus-alertmanager
promtool amtool: $(STAMP) ## For the tests of alerts: out of Debian's packages, which are not installed
	@test -x $(BIN)/$@ || command -v $@ >/dev/null || ! command -v apt-get >/dev/null || { \
	  echo "bringing $@ for the tests of alerts" >&2; mkdir -p .venv/debian-$@; \
	  (cd .venv/debian-$@ && { test "$$(id -u)" != 0 || $(APT) update; } && $(APT) download $(PACKAGE_$@) && \
	  dpkg-deb --fsys-tarfile $(PACKAGE_$@)_*.deb | tar -xO ./usr/bin/$@ > $@ && chmod +x $@ && \
	  mv $@ ../bin/$@) >/dev/null 2>&1; rm -rf .venv/debian-$@; }
	@test -x $(BIN)/$@ || command -v $@ >/dev/null || \
	  echo "corral: there is no $@, and tests that need it are skipped" >&2

# Byte code that nobody keeps is made anew by every command that a test starts.
check test: export PYTHONDONTWRITEBYTECODE :=

# One process more than processors: some tests wait for a while.
check: $(STAMP) ## Format, lint, types and the tests that need no program
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@($(BIN)/lint-imports --no-logo --no-cache && $(BIN)/python ci/sdk_stubs.py .venv/typings && $(BIN)/basedpyright) & \
	  types=$$!; $(BIN)/python -m pytest -q -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile \
	  -m "not engine and not upstream and not browser and not exhaustive"; tests=$$?; wait $$types && exit $$tests

docs: $(STAMP) ## The documentation as a site; broken links and pages without a place in it fail
	@$(BIN)/python -m sphinx --quiet --fresh-env --write-all --jobs auto --fail-on-warning $(DOCS) $(SITE)
	@echo "the documentation is $(abspath $(SITE))/index.html"

pictures: $(STAMP) browser ## The pictures of README and docs anew, from stack dev, which it brings up
	@$(BIN)/python -m ci.pictures

bench: setup ## Measure: make bench [ONLY=plan]
	@$(BIN)/python -m bench $(ONLY)

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "corral: Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1); set PYTHON=python3.x" >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@echo "installing Python packages into .venv" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
