# make paper    set up, then build results/paper.pdf     CONFIG=overlay.yaml PHOTOS=folder CORES=n GPU=1
# make readers  build what else there is to read: explorer/index.html, from all that is projected;
#               paper.html; report.html with figures, tables and claims; ledger.json; arxiv.tar.gz;
#               and ro-crate-metadata.json; in results/, or where CONFIG= has them
# make watch    build what each saved change touches, and show the paper in a page    CONFIG=overlay.yaml
# make why      say why a target would be made again      TARGET=results/figures/efl-weights.pdf
# make claims   build what the claims of the paper are about, and fail if one of them does
# make archive  build the paper, and pack it with what builds it again: results/pixelspace.tar.gz
# make compare  say and draw what differs between two folders of results: A=results B=results-my
# make diff     mark what changed in the paper since a revision: results/diff.pdf    REV=HEAD~1
# make verify   say whether a finished build is the paper of report/reference.json    RESULTS=results
# make reference  renew that from a fresh build, and its tolerances from builds of the same commit
#               under other instruction sets: RESULTS=results LIKE="results-a results-b"
# make test     set up, then run the tests               TESTS=tests/test_config.py
# make faults   kill builds, damage what they made and see them recover: an hour or two
# make lint     style, formatting and import rules
# make bench    measure speed and memory, all of it or one: make bench-pipeline, bench-rendering,
#               bench-projections, bench-scale, bench-memory (see benchmarks/)
# make lock     renew the locks from pyproject.toml      UV=/path/to/uv
# make container  build pixelspace.sif, the image for `--software-deployment-method apptainer`
# make clean    remove everything that was built, but keep the environments

CORES ?= all
RESULTS ?= results
UV ?= uv

# As they were written, and by the environment: make would run a $(shell …) in them, and the shell
# what follows a quote.
GIVEN := CONFIG PHOTOS CORES GPU PYTHON RESULTS TARGET A B REV LIKE TESTS UV
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
export $(GIVEN)

ifdef GPU
ENVIRONMENT := .venv-gpu
LOCK := requirements-gpu.txt
export PIXELSPACE_GPU := 1
else
ENVIRONMENT := .venv
LOCK := requirements.txt
endif

# Not by its own program, which answers Ctrl-C with a traceback while it is being imported.
SNAKEMAKE := $(ENVIRONMENT)/bin/python tools/run_snakemake.py
OVERLAY := $(if $(CONFIG),--configfile "$$CONFIG") $(if $(PHOTOS),--config photos="$$PHOTOS")

.PHONY: paper claims readers readers-built archive watch why compare diff verify reference test faults
.PHONY: lint lock container clean
.PHONY: bench bench-pipeline bench-rendering bench-projections bench-scale bench-memory
.PHONY: python python-dev configuration tex web pages browser latexdiff

TARGETS :=
claims: TARGETS := claims
archive: TARGETS := archive
readers-built: TARGETS := readers

paper claims readers-built archive: tex
readers-built: web
paper claims readers-built archive: configuration
	@exec $(SNAKEMAKE) $(TARGETS) --cores "$$CORES" $(OVERLAY)

readers: readers-built
	@results="$$(PYTHONPATH=src $(ENVIRONMENT)/bin/python tools/read_config.py config/config.yaml \
		$(if $(CONFIG),"$$CONFIG"))" && \
		exec $(SNAKEMAKE) readers --report "$$results/report.html" $(OVERLAY)

# What watches is among the tools of developers, of which there is one environment.
watch: configuration python-dev tex pages
	@PYTHONPATH=src exec .venv/bin/python tools/watch.py "$$CONFIG" \
		$(SNAKEMAKE) --when-told --cores "$$CORES" $(OVERLAY)

why: configuration
	@PIXELSPACE_WHY=1 $(SNAKEMAKE) --dry-run $(if $(TARGET),"$$TARGET") $(OVERLAY)

compare: python
	@PYTHONPATH=src $(ENVIRONMENT)/bin/python tools/compare.py "$$A" "$$B" || [ $$? = 1 ]

diff: configuration tex latexdiff
	@PYTHONPATH=src $(ENVIRONMENT)/bin/python tools/diff.py --cores "$$CORES" \
		$(if $(CONFIG),--configfile "$$CONFIG") $(if $(PHOTOS),--photos "$$PHOTOS") -- "$$REV"

verify: python
	@PYTHONPATH=src $(ENVIRONMENT)/bin/python tools/verify.py check "$$RESULTS"

reference: python
	@PYTHONPATH=src $(ENVIRONMENT)/bin/python tools/verify.py renew "$$RESULTS" --like $$LIKE

test: python-dev tex
	@exec .venv/bin/pytest $$TESTS

faults: python-dev tex web
	@cd tests && PYTHONPATH=../src exec ../.venv/bin/python -m faults.campaign

lint: python-dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/snakefmt --check Snakefile workflow
	PYTHONPATH=src .venv/bin/lint-imports
	.venv/bin/snakemake --lint

bench: bench-pipeline bench-rendering bench-projections bench-scale $(if $(PHOTOS),bench-memory)

bench-pipeline: python-dev tex
	@PYTHONPATH=src exec .venv/bin/python benchmarks/pipeline.py

bench-rendering: python-dev
	@PYTHONPATH=src exec .venv/bin/python benchmarks/rendering.py

bench-projections: python-dev
	@tools/setup python .venv-peers benchmarks/requirements-peers.txt
	@PYTHONPATH=src exec .venv/bin/python benchmarks/projections

bench-scale: python-dev
	@PYTHONPATH=src exec .venv/bin/python benchmarks/scale.py

bench-memory: python-dev
	@PYTHONPATH=src exec .venv/bin/python benchmarks/memory.py "$$PHOTOS"

python:
	@tools/setup python $(ENVIRONMENT) $(LOCK)

python-dev:
	@tools/setup python .venv requirements-dev.txt

# Before Snakemake reads it, which would run the Python that a file can hold.
configuration: python
ifdef CONFIG
	@test -f "$$CONFIG" || { echo "error: CONFIG=$$CONFIG: there is no such file" >&2; exit 2; }
	@PYTHONPATH=src $(ENVIRONMENT)/bin/python tools/read_config.py "$$CONFIG" >/dev/null
endif

tex:
	@tools/setup tex

web:
	@tools/setup web

pages:
	@tools/setup pages

browser:
	@tools/setup browser

latexdiff: tex
	@tools/setup latexdiff

LOCKED = "$$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
COMPILE = $(LOCKED) pyproject.toml

lock:
	$(COMPILE) --extra cpu -o requirements.txt
	$(COMPILE) --extra cpu --extra dev -c requirements.txt --override tools/lock-overrides.txt \
		-o requirements-dev.txt
	$(COMPILE) --extra gpu -c requirements.txt -o requirements-gpu.txt
	$(LOCKED) benchmarks/peers.in --override benchmarks/peers-overrides.txt -c requirements.txt \
		-o benchmarks/requirements-peers.txt

container:
	apptainer build pixelspace.sif workflow/container.def

clean:
	rm -rf results results-* .snakemake .pytest_cache .ruff_cache .import_linter_cache .hypothesis
