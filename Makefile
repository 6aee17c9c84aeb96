# Every target sets up what it needs in .venv by itself: Python 3.11 and make are enough.
.DEFAULT_GOAL := help
.PHONY: help demo test lint format fuzz kills bench bench-long docs custodian prometheus browser kubernetes aws-tools
.PHONY: lambda wheel clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CUSTODIAN := .venv-custodian
PROMETHEUS := .prometheus
BROWSER := .browser
KUBERNETES := .kubernetes
AWS_TOOLS := .aws-tools

PAGE := docs/explanation/performance.md

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/demo.stamp  ## Run the shipped policies on an emulated AWS account; no credentials
	@$(BIN)/bursar demo

test: $(VENV)/dev.stamp lint  ## Lint, type-check and run every test
	$(BIN)/pytest -n auto

lint: $(VENV)/dev.stamp  ## Style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp  ## Rewrite the sources in the house format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

ROUNDS ?= 10

fuzz: $(VENV)/dev.stamp  ## Run the property tests on new random examples, ROUNDS times
	@for round in $$(seq $(ROUNDS)); do \
		$(BIN)/pytest -n auto -m hypothesis --hypothesis-profile=fuzz --hypothesis-seed=$$(date +%N) || exit 1; done

KILLS ?= 1000

kills: $(VENV)/dev.stamp  ## Kill KILLS processes in the middle of acting, and see that nothing is lost or done twice
	KILLS=$(KILLS) $(BIN)/pytest -n auto tests/engine/acting/test_kills.py

bench: $(VENV)/dev.stamp $(CUSTODIAN)/stamp  ## Measure speed and memory beside Cloud Custodian: about ten minutes
	$(BIN)/python -m benchmarks --write $(PAGE)

bench-long: $(VENV)/dev.stamp $(CUSTODIAN)/stamp  ## The same with every large fleet five times: about half an hour
	$(BIN)/python -m benchmarks --long --write $(PAGE)

docs: $(VENV)/dev.stamp  ## Write the generated reference pages anew
	$(BIN)/python -m bursar.reference docs/reference
	$(BIN)/bursar schema -o policies/bursar.schema.json
	$(BIN)/bursar iam read -p pack:all > deploy/terraform/iam/read.json
	$(BIN)/bursar iam act -p pack:all > deploy/terraform/iam/act.json

custodian: $(CUSTODIAN)/stamp  ## Install Cloud Custodian in a place of its own, for the tests that compare with it

prometheus: $(PROMETHEUS)/stamp  ## Install a Prometheus server from the distribution's packages, for the tests that query one; no root

browser: $(BROWSER)/stamp  ## Install Chromium from the distribution, and axe, for the tests that look at the web page; as root

kubernetes: $(KUBERNETES)/stamp  ## Install kubectl, helm and bwrap, for the test that follows the page on Kubernetes; no root

aws-tools: $(AWS_TOOLS)/stamp  ## Install the AWS CLI and SAM CLI in a place of their own, for the test that deploys with them

CONFIG ?=
ARCH ?= x86_64

lambda: $(VENV)/demo.stamp  ## Build the zip for AWS Lambda into dist/; CONFIG=FOLDER packs your bursar.yaml
	@$(BIN)/python deploy/lambda/build.py --arch $(ARCH) $(if $(CONFIG),--config $(CONFIG))

wheel: $(VENV)/dev.stamp  ## Build a wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## Remove everything that was installed or built
	rm -rf $(VENV) $(CUSTODIAN) $(PROMETHEUS) $(BROWSER) $(KUBERNETES) $(AWS_TOOLS) build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Python 3.11 or newer, whatever the machine calls it.
$(BIN)/python:
	@for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "creating $(VENV) with $$candidate"; exec $$candidate -m venv $(VENV); fi; done; \
		echo 'Bursar needs Python 3.11 or newer: make PYTHON=/path/to/python3.11' >&2; exit 1

$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	@echo 'installing Bursar and the emulated AWS account (a minute or two, once)'
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(VENV)/demo.stamp
	@echo 'installing the development tools (once)'
	@$(PIP) install --group dev
	@touch $@

$(CUSTODIAN)/stamp: tests/custodian.txt | $(BIN)/python
	@$(BIN)/python -m venv $(CUSTODIAN)
	@$(CUSTODIAN)/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	@touch $@

$(AWS_TOOLS)/stamp: tests/aws-tools.txt tests/aws_cli.py | $(BIN)/python
	@$(BIN)/python -m venv $(AWS_TOOLS)
	@$(AWS_TOOLS)/bin/python -m pip --disable-pip-version-check --quiet install --requirement $<
	@$(AWS_TOOLS)/bin/python tests/aws_cli.py $(AWS_TOOLS)
	@touch $@

$(BROWSER)/stamp: tests/browser.sh
	@sh $< $(BROWSER)
	@touch $@

$(PROMETHEUS)/stamp: tests/prometheus.sh
	@sh $< $(PROMETHEUS)
	@touch $@

$(KUBERNETES)/stamp: tests/kubernetes.sh
	@sh $< $(KUBERNETES)
	@touch $@
