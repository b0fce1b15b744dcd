# make demo [VIDEO=my.mp4]   redact a clip with a face, say where the result is
# make test                  the whole suite
# make mutate [FAULTS=...]    whether the tests notice faults that are put into the code
# make fuzz [SECONDS=600] [SEED=n] [TARGETS="film kernel.hide"]   inputs that nobody expects, to all that reads any
# make soak [SECONDS=600]    what takes hours: every fault, loss of power, kills, long films, many jobs; each program so long at most
# make sanitize              the kernels' tests, with the compiler's address and undefined-behaviour sanitizers in them
# make lint                  ruff, mypy --strict, cython-lint, import-linter
# make bench                 the benchmarks, beside their rivals, an hour or two; says what became slower since the last run
# make bench-memory          how much memory long videos take
# make bench-accuracy        what stays hidden, beside detection alone, ByteTrack and deface, and how steadily
# make bench-live            how long frames take through a Redactor, its memory, and what it hides
# Each sets up .venv by itself. PYTHON chooses the interpreter (3.11 or newer).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLIPS := .cache/clips
WEIGHTS := model/centerface.original.onnx
VIDEO ?= $(CLIPS)/carphone_pristine.mp4
SECONDS ?= 600
SOURCES := pyproject.toml setup.py MANIFEST.in $(shell find src tools -name '*.py' -o -name '*.py[ix]' -o -name '*.px[di]' -o -name '*.json')
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test mutate fuzz soak sanitize lint bench bench-accuracy bench-live bench-memory clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed $(CLIPS)/.fetched
	$(BIN)/facered combined "$(VIDEO)" --output out --annotations --overwrite

test: $(VENV)/.test $(CLIPS)/.fetched
	$(BIN)/python -m pytest -n auto --dist worksteal

mutate: $(VENV)/.test $(CLIPS)/.fetched
	$(BIN)/python tools/mutate.py $(FAULTS)

fuzz: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(TARGETS)

soak: $(VENV)/.test $(CLIPS)/.fetched
	PYTHONPATH=tests $(BIN)/python -m soak --seconds $(SECONDS) $(PARTS)

sanitize: $(VENV)/.test $(CLIPS)/.fetched
	$(BIN)/python tools/sanitize.py

lint: $(VENV)/.lint $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint src/_native tests/native
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.bench $(CLIPS)/.fetched
	$(BIN)/python -m pytest bench --benchmark-only --benchmark-json=.cache/bench.json
	$(BIN)/python -m bench.footage
	$(BIN)/python -m bench.job
	$(BIN)/python -m bench.cores
	$(BIN)/python -m bench.redetection
	$(BIN)/python -m bench.fidelity
	$(BIN)/python -m bench.review
	$(BIN)/python -m bench.review_trial
	$(BIN)/python -m bench.guard

bench-memory: $(VENV)/.bench $(CLIPS)/.fetched
	$(BIN)/python -m bench.memory

bench-accuracy: $(VENV)/.bench $(CLIPS)/.fetched
	$(BIN)/python -m bench.accuracy
	$(BIN)/python -m bench.steadiness
	$(BIN)/python -m bench.leaks
	$(BIN)/python -m bench.stills

bench-live: $(VENV)/.bench $(CLIPS)/.fetched
	$(BIN)/python -m bench.live
	$(BIN)/python -m bench.live_hard
	$(BIN)/python -m bench.live_accuracy

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "facered needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1"
	touch $@

# The build fetches nothing when the weights are there.
$(WEIGHTS): $(VENV)/.created tools/build_model.py
	$(BIN)/python tools/build_model.py
	touch $@

# What is tested is what is shipped: the built wheel, not the source tree. Old build folders would leave deleted modules in.
$(VENV)/.installed: $(VENV)/.created $(WEIGHTS) $(SOURCES)
	rm -rf build/wheel build/lib* build/bdist* && $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w build/wheel .
	$(PIP) --force-reinstall --no-deps build/wheel/*.whl
	$(PIP) build/wheel/*.whl
	touch $@

$(VENV)/.test $(VENV)/.lint $(VENV)/.bench: $(VENV)/.%: $(VENV)/.installed pyproject.toml
	$(PIP) --group $*
	touch $@

$(CLIPS)/.fetched: $(VENV)/.created tools/fetch_clips.py
	$(BIN)/python tools/fetch_clips.py $(CLIPS)
	touch $@

clean:
	rm -rf $(VENV) .cache build dist out
