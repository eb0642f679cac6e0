# make paper    set up, then build results/paper.pdf     CONFIG=overlay.yaml PHOTOS=folder CORES=n GPU=1
# make test     set up, then run the tests               TESTS=tests/test_config.py
# make lint     style, formatting and import rules
# make bench    measure speed and memory (see benchmarks/)
# make lock     renew the locks from pyproject.toml      UV=/path/to/uv
# make container  build pixelspace.sif, the image for `--software-deployment-method apptainer`
# make clean    remove everything that was built, but keep the environments

CORES ?= all
UV ?= uv

ifdef GPU
ENVIRONMENT := .venv-gpu
LOCK := requirements-gpu.txt
export PIXELSPACE_GPU := 1
else
ENVIRONMENT := .venv
LOCK := requirements.txt
endif

OVERLAY := $(if $(CONFIG),--configfile "$(CONFIG)") $(if $(PHOTOS),--config photos="$(PHOTOS)")

.PHONY: paper test lint bench lock container clean python python-dev tex

paper: python tex
ifdef CONFIG
	@test -f "$(CONFIG)" || { echo "error: CONFIG=$(CONFIG): there is no such file" >&2; exit 2; }
endif
	@exec $(ENVIRONMENT)/bin/snakemake --cores $(CORES) $(OVERLAY)

test: python-dev tex
	@exec .venv/bin/pytest $(TESTS)

lint: python-dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/snakefmt --check Snakefile workflow
	PYTHONPATH=src .venv/bin/lint-imports
	.venv/bin/snakemake --lint

bench: python-dev tex
	@exec .venv/bin/python benchmarks/pipeline.py

python:
	@tools/setup python $(ENVIRONMENT) $(LOCK)

python-dev:
	@tools/setup python .venv requirements-dev.txt

tex:
	@tools/setup tex

COMPILE = $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock:
	$(COMPILE) --extra cpu -o requirements.txt
	$(COMPILE) --extra cpu --extra dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --extra gpu -c requirements.txt -o requirements-gpu.txt

container:
	apptainer build pixelspace.sif workflow/container.def

clean:
	rm -rf results results-* .snakemake .pytest_cache .ruff_cache .import_linter_cache .hypothesis
