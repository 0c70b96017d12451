# Every target sets up what it needs: a .venv from hashed lock files, and Prometheus.
.DEFAULT_GOAL := help
.PHONY: help demo test golden check lint types imports workflows docs bench bench-judge fuzz race lock clean
.PHONY: install-demo install-dev prometheus-demo prometheus-dev

PYTHON := .venv/bin/python
WORKERS ?= 3
RACES ?= 1000
NODE_PACKAGES = tests/support/workflow_runner/node_modules/.package-lock.json
TEMPLATE_WORKFLOWS = $(wildcard repo-template/.github/workflows/*.yml)
WORKFLOWS = $(wildcard .github/workflows/*.yml) $(TEMPLATE_WORKFLOWS)
ACTIONS = $(wildcard action.yml actions/*/action.yml)
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(LOCK_FLAGS)

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: prometheus-demo  ## run the whole loop on this machine: train, promote, revert (FLAGS="--keep")
	$(PYTHON) -m tidegate demo $(FLAGS)

test: prometheus-dev $(NODE_PACKAGES)  ## run every test (TESTS=tests/core picks some)
	$(PYTHON) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS) $(FLAGS)

golden: prometheus-dev  ## compare with the reference files of other projects in ../shared/golden
	$(PYTHON) -m pytest golden $(FLAGS)

check: lint types imports workflows docs  ## lint, types, import law, workflows, docs (-k: all of them)

lint: install-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: install-dev
	.venv/bin/mypy

imports: install-dev
	.venv/bin/lint-imports --no-logo

workflows: install-dev
	.venv/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml repo-template/.github/dependabot.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(if $(ACTIONS),.venv/bin/check-jsonschema --builtin-schema vendor.github-actions $(ACTIONS))
	.venv/bin/zizmor --offline --no-progress --quiet --persona pedantic . $(TEMPLATE_WORKFLOWS)

docs: install-dev
	$(if $(wildcard tools/docs.py),$(PYTHON) tools/docs.py --check)

bench: prometheus-dev  ## measure, and print the table of docs/benchmarks.md
	$(PYTHON) bench/run.py $(FLAGS)

bench-judge: install-dev  ## simulate the judge, and print the tables of docs/judgement.md
	$(PYTHON) bench/judging/run.py $(FLAGS)

race: prometheus-dev  ## a death at every request, and two controllers in 1,000 interleavings (RACES=N)
	TIDEGATE_DEATHS=every TIDEGATE_RACES=$(RACES) $(PYTHON) -m pytest --numprocesses $(WORKERS) \
		tests/end_to_end/test_github_crashes.py $(FLAGS)

fuzz: install-dev  ## throw 100,000 broken files at validate (FLAGS="--inputs N --seed N")
	$(PYTHON) fuzz/run.py $(FLAGS)

lock:  ## compile requirements/*.lock again (LOCK_FLAGS=--upgrade takes newer versions)
	@command -v uv >/dev/null || { echo "make lock: uv is needed on PATH" >&2; exit 3; }
	$(LOCK) --extra demo pyproject.toml --output-file requirements/demo.lock
	$(LOCK) --extra dev --constraint requirements/demo.lock pyproject.toml --output-file requirements/dev.lock
	$(LOCK) --constraint requirements/demo.lock pyproject.toml --output-file actions/full.lock
	$(LOCK) --constraint actions/full.lock actions/lean.in --output-file actions/lean.lock
	$(LOCK) --constraint actions/full.lock actions/plan.in --output-file actions/plan.lock
	$(LOCK) --constraint requirements/dev.lock requirements/build.in --output-file requirements/build.lock
	$(LOCK) --constraint requirements/dev.lock requirements/bench.in --output-file requirements/bench.lock

clean:  ## remove .venv, builds and caches
	rm -rf .venv build dist tests/support/workflow_runner/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install-demo:
	@requirements/install.sh demo

install-dev:
	@requirements/install.sh dev

$(NODE_PACKAGES): tests/support/workflow_runner/package-lock.json | install-dev
	cd $(<D) && PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --silent && touch $(CURDIR)/$@

prometheus-demo: install-demo
	@$(PYTHON) -m tidegate.adapters.system_packages

prometheus-dev: install-dev
	@$(PYTHON) -m tidegate.adapters.system_packages
