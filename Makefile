# The project's commands. `make demo` tries it out, `make test` checks it; `make help` lists the rest.
PYTHON = python3
VENV = .venv
PY = $(VENV)/bin/python
OURS = annotator api config scoring synth manage.py

# Stamp files say what is done already; they lie in the virtual environment, so removing it removes them.
WEB = $(VENV)/.installed-web
ALL = $(VENV)/.installed-all
FRONT_END = static/vendor/katex/.installed

.PHONY: help install demo test check bench lock clean check-lint check-format check-types check-templates \
  check-migrations check-inline check-architecture

help:
	@echo 'make demo     install what reviewing needs, make a demo project, start it'
	@echo 'make test     install everything, run every test'
	@echo 'make check    format, lint, types, migrations, architecture'
	@echo 'make install  install everything into $(VENV)'
	@echo 'make bench    measure speed; each script prints a table'
	@echo 'make lock     write the requirement files anew (UPGRADE=--upgrade for new releases)'
	@echo 'make clean    remove what the other commands made; the data stay'

install: $(ALL) $(FRONT_END)

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

# Without byte code the packages are a quarter smaller and installed sooner; Python compiles what it imports
# when it first does.
$(WEB): requirements-web.txt | $(PY)
	$(PY) -m pip install -qq --no-compile --require-hashes -r requirements-web.txt
	@touch $@

$(ALL): requirements-dev.txt requirements.txt scripts/torch | $(PY)
	scripts/torch $(PY)
	$(PY) -m pip install -qq --no-compile --no-deps --require-hashes -r requirements-dev.txt
	$(PY) -m pip check
	@touch $(WEB) $@

$(FRONT_END): package.json package-lock.json .npmrc scripts/front-end | $(PY)
	scripts/front-end $(PY)
	@touch $@

demo: $(WEB) $(FRONT_END)
	@grep -qs '^SECRET_KEY=' .env || { umask 077; \
	  $(PY) -c 'import secrets; print(f"SECRET_KEY={secrets.token_urlsafe(48)}\nLOG_FORMAT=plain")' >>.env; }
	$(PY) manage.py migrate --no-input --verbosity 0
	$(PY) manage.py collectstatic --no-input --verbosity 0
	$(PY) manage.py demo
	@exec $(PY) manage.py up

test: install
	scripts/system-packages
	@$(PY) -m tests

check: check-lint check-format check-types check-templates check-migrations check-inline check-architecture

check-lint: install
	$(VENV)/bin/ruff check .

check-format: install
	$(VENV)/bin/ruff format --check .

check-types: install
	$(VENV)/bin/mypy $(OURS)

check-templates: install
	@git ls-files -z '*/templates/*.html' | xargs -0 -r $(VENV)/bin/djade --check --target-version 5.2

check-migrations: install
	SECRET_KEY=only-for-this-check-nobody-signs-with-it $(PY) manage.py makemigrations --check --dry-run

check-inline:
	@scripts/no-inline

check-architecture: install
	$(PY) -m pytest -q tests/test_arrows.py tests/test_requirements.py

bench: install
	scripts/system-packages
	@set -e; for script in bench/bench_*.py bench/scoring.py; do echo "== $$script"; $(PY) "$$script" tests/data/prmbench.jsonl; done

lock: | $(PY)
	@[ -x $(VENV)/bin/uv ] || $(PY) -m pip install -qq uv
	UV=$(VENV)/bin/uv UPGRADE=$(UPGRADE) scripts/lock
	npm install --package-lock-only --no-audit --no-fund

clean:
	rm -rf $(VENV) static/vendor staticfiles node_modules .mypy_cache .ruff_cache .hypothesis test-results
