# make book    build the book            make test    test the package, its commands and its explorers in a browser
# make serve   build it and serve it     make lint    what the commit hooks check
# make lab     its chapters in Jupyter   make zip     the built book in one file, to read anywhere
# make pdf     one PDF of all its pages (needs the tests' browser)
# make clean   remove what was built     make distclean   the environment too
# make test-pages   build the book, look at each of its pages in a browser, and at explorers in Jupyter, Firefox and as Colab has them
#                   SOME=1 looks at four pages in place of each
# make test-all   all of these and the slow ones: each page in smoke mode and by axe in each theme and width, Jupyter Notebook
#                 beside Lab, a whole build that is stopped, each benchmark
# make soak    what is rare, for half an hour: a training killed at 200 moments, 10,000 altered files, 10,000 addresses of
#              explorers, 2,000 moves; the figures go to benchmarks/soak.json, which appendix D shows, each test's as it ends.
#              TESTS=tests/test_survival.py asks a part, and leaves the other figures
# make fuzz    the altered files alone
# make test-machines   unit tests, book and built pages as other processors compute them; AAE_DATA names full MNIST
# make test-colab   the chapters with what Colab has installed, in an environment of Python 3.13 (PYTHON313=…), a few steps of each run;
#                   FULL=1 runs them whole, PAGES="05 07" some of them
# make mutants   whether the tests notice one operator or constant that is changed, of a tenth of those of losses, priors, measures
#              and data: over an hour; the figures and the survivors go to benchmarks/mutants.json.  MUTANTS="losses.py" asks a part
# make test-versions   the least and the newest versions that pyproject.toml allows
# make audit   known faults of what is installed   make licences   the licences of all that ships
# make bench   time it: about an hour   BENCH=--quick only tries it out, BENCH=floor times that alone
# make lighthouse  what Lighthouse says of each built page (from npm); the scores go to benchmarks/lighthouse.json  FORM=mobile
# make bench-page   weigh and time the pages in a browser; the figures go to benchmarks/pages.json
#
# Variables:  AAE_DATA=folder   a folder with MNIST's files (else cache, download, or 5,000 embedded digits)
#             TORCH_INDEX=URL   where to take torch from, such as https://download.pytorch.org/whl/cpu
#             CHECKED=1         install what hashes/ lists for this platform, each file by its checksum (make hashes renews it)
#             PYTHON=python3.x  the Python (3.11 or later) that the environment is made with

VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000
TORCH_INDEX ?=
CHECKED ?=
# Python compiles a module when it is first imported; all of them at once would take a third of the installation. What it has
# compiled stays in the environment, even where PYTHONDONTWRITEBYTECODE is set: else each process would compile torch anew.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/bytecode
PIP_INSTALL = $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt
INPUTS := pyproject.toml constraints.txt
JAVASCRIPT := aae_core/explorers/js aae_core/explorers/host $(wildcard book/_static/*.js) tests *.json

# A notebook runs in its own folder, so a relative folder would be looked for there.
ifneq ($(AAE_DATA),)
override AAE_DATA := $(abspath $(AAE_DATA))
export AAE_DATA
endif

.DEFAULT_GOAL := help
.PHONY: help book lab zip pdf test test-pages test-all soak fuzz test-machines test-colab mutants test-versions serve bench bench-page lighthouse lint clean distclean constraints hashes audit licences address
.DELETE_ON_ERROR:

help:
	@sed -n '/^VENV/q; s/^# \{0,1\}//p' Makefile

book: $(VENV)/book.stamp
	@echo "Building the book. The first time, its pages run; later only those that changed."
	@$(BIN)/python tools/build.py

lab: $(VENV)/book.stamp
	@$(BIN)/jupyter lab --config=tools/jupyter_server_config.py notebooks

zip: book
	@$(BIN)/python tools/archive.py

pdf: book $(VENV)/browser.stamp
	@$(BIN)/python tools/pdf.py

test test-pages test-all: $(VENV)/browser.stamp
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --numprocesses auto --dist loadgroup --no-loadscope-reorder $(MARKED) $(TESTS)

test: MARKED = -m "not slow$(if $(TESTS),, and not book)"

test-pages: MARKED = -m "not slow and book" $(if $(SOME),--some-pages)

test-all: MARKED = -m "not soak"

soak fuzz: $(VENV)/browser.stamp
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --record -m soak $(TESTS)

fuzz: TESTS = tests/test_fuzz.py

test-machines: $(VENV)/browser.stamp
	@$(BIN)/python tools/machines.py $(SETTINGS)

test-colab: $(VENV)/test.stamp
	@PYTHON313="$(PYTHON313)" $(BIN)/python tools/colab.py $(if $(FULL),--full) $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX)) $(PAGES)

mutants: $(VENV)/browser.stamp
	@$(PIP_INSTALL) cosmic-ray pytest-cov
	@OMP_NUM_THREADS=1 $(BIN)/python tools/mutants.py $(MUTANTS)

test-versions: $(VENV)/test.stamp
	@$(BIN)/python -m pytest --quiet tests/test_lower_bounds.py

serve: book
	@echo "http://127.0.0.1:$(PORT)/ (Ctrl-C to stop)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

bench: $(VENV)/browser.stamp
	@$(BIN)/python -m benchmarks.run $(BENCH)

bench-page: $(VENV)/browser.stamp
	@$(BIN)/python -m benchmarks.run pages $(BENCH)

lighthouse: export PATH := $(abspath $(BIN)):$(PATH)
lighthouse: book $(VENV)/browser.stamp $(VENV)/node.stamp
	@$(BIN)/python tools/lighthouse.py --form $(or $(FORM),desktop) $(PAGES)

# The scripts of npm's packages begin with `env node`.
lint: export PATH := $(abspath $(BIN)):$(PATH)
lint: $(VENV)/node.stamp
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/codespell
	@$(BIN)/python tools/language.py
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest -qq --noconftest tests/test_rules.py
	@$(VENV)/node_modules/.bin/biome check --error-on-warnings --log-level=warn $(JAVASCRIPT)
	@$(VENV)/node_modules/.bin/tsc --project tsconfig.json
	@$(BIN)/python tools/webassembly.py --check $(VENV)/node_modules/.bin/wat2wasm

clean:
	@rm -rf _build

distclean: clean
	@rm -rf $(VENV)

# The versions in the environment, as the new constraints.
constraints: $(VENV)/test.stamp
	@$(BIN)/python -m pip freeze --exclude-editable | $(BIN)/python tools/constraints.py

# This platform's checksums of what constraints.txt names.
hashes: $(VENV)/test.stamp
	@$(BIN)/python tools/hashes.py keep

audit: export PATH := $(abspath $(BIN)):$(PATH)
audit: $(VENV)/node.stamp
	@$(PIP_INSTALL) pip-audit
	@$(BIN)/python tools/audit.py

licences: $(VENV)/book.stamp
	@$(BIN)/python tools/licences.py

# The project's public address, in the one setting and in the notebooks that repeat it for Colab.
address: $(VENV)/book.stamp
	@$(BIN)/python tools/address.py "$(REPOSITORY)" "$(SITE)"

$(BIN)/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "No Python 3.11 or later was found. Install one, or name it: make book PYTHON=…" >&2; exit 1; fi; \
	echo "Making the environment $(VENV) with $$($$found --version)."; \
	$$found -m venv $(VENV) && echo '{"type": "commonjs"}' >$(VENV)/lib/package.json || { echo "Python could not make an environment. On Debian and Ubuntu: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/torch.stamp: $(INPUTS) | $(BIN)/python
ifneq ($(CHECKED),)
	@echo "Installing what hashes/ lists for this platform."
	@$(BIN)/python tools/hashes.py install
endif
ifneq ($(TORCH_INDEX),)
	@echo "Installing torch from $(TORCH_INDEX)."
	@$(PIP_INSTALL) --index-url $(TORCH_INDEX) torch torchvision
endif
	@touch $@

$(VENV)/book.stamp: $(VENV)/torch.stamp
	@echo "Installing the book into $(VENV): some minutes the first time, most of it torch."
	@$(PIP_INSTALL) --editable '.[book]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/book.stamp
	@echo "Installing what the tests need."
	@$(PIP_INSTALL) --editable '.[test]'
	@touch $@

# What checks the JavaScript, from npm's registry or the one that npm's settings name.
$(VENV)/node.stamp: $(VENV)/test.stamp package.json
	@echo "Installing what checks the JavaScript."
	@cp package.json $(VENV)
	@$(BIN)/npm install --prefix $(VENV) --no-package-lock --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
	@touch $@

$(VENV)/browser.stamp: $(VENV)/test.stamp
	@$(BIN)/python tests/browser/find_browser.py --install $@
