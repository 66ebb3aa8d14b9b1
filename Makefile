# Needs make and Python 3.11 or later; `up` and `test` set up everything else in .venv (and uv in .tools) themselves.

export UV_PROJECT_ENVIRONMENT := .venv
BIN := .venv/bin
WORKERS ?= 2

.PHONY: help up test lint format docs bench bench-live bench-api bench-exports fuzz properties faults

help:
	@echo "make up      set everything up, run the pipeline once, serve the dashboard and the Dagster UI until Ctrl-C"
	@echo "make test    run the tests"
	@echo "make lint    check style, formatting and types"
	@echo "make format  put code into shape"
	@echo "make docs    write the generated pages of docs/ again"
	@echo "make bench   measure loading and refreshing one million registrations"
	@echo "make bench-live  measure latency, rates, memory and the lake's size with up to five million"
	@echo "make bench-api   measure how soon the API answers, beside Datasette"
	@echo "make fuzz    ask the API thousands of requests, valid or not"
	@echo "make properties  try every property of the tests with a hundred times as many examples; PROPERTIES='path -k name'"
	@echo "make bench-exports  measure exports of five million rows in every format"
	@echo "make faults  kill worker and runs at 200 random moments and look whether anything was lost; FAULTS='--count 20'"

up: .venv/.installed
	@$(BIN)/event-pipeline up

test: .venv/.installed-dev
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile

lint: .venv/.installed-bench
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright

format: .venv/.installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/.installed-dev
	$(BIN)/event-pipeline docs

bench: .venv/.installed-bench
	@$(BIN)/python -m benchmarks

bench-api: .venv/.installed-bench
	@$(BIN)/python -m benchmarks.api

fuzz: .venv/.installed-dev
	@$(BIN)/pytest event_pipeline_tests/api/test_any_request.py --hypothesis-profile $@ --timeout 3600

properties: .venv/.installed-dev
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope -m hypothesis --hypothesis-profile long --timeout 0 $(PROPERTIES)

bench-live: .venv/.installed-bench
	@$(BIN)/python -m benchmarks.live

bench-exports: .venv/.installed-bench
	@$(BIN)/python -m benchmarks.exports

faults: .venv/.installed-bench
	@$(BIN)/python -m event_pipeline_tests.faults $(FAULTS)

# Stamps, because uv compiles every installed module again at each sync.
.venv/.installed: pyproject.toml uv.lock scripts/uv
	@echo "setting up the environment in .venv"
	@scripts/uv sync --locked --no-dev --inexact --compile-bytecode --quiet
	@touch $@

.venv/.installed-dev: pyproject.toml uv.lock scripts/uv
	@echo "setting up the environment in .venv, with what tests need"
	@scripts/uv sync --locked --compile-bytecode --quiet
	@touch .venv/.installed $@

.venv/.installed-bench: pyproject.toml uv.lock scripts/uv
	@echo "setting up the environment in .venv, with what tests and benchmarks need"
	@scripts/uv sync --locked --group bench --compile-bytecode --quiet
	@touch .venv/.installed .venv/.installed-dev $@
