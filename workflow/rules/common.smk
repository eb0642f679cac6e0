import hashlib
import os
import re
import sys
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path[:0] = [str(SOURCE), str(SOURCE.parent / "workflow")]

import progress
from pixelspace import config as configuration
from pixelspace import runtime
from pixelspace.errors import UserError
from pixelspace.fingerprint import fingerprint
from pixelspace.seeds import derive

# Jobs are processes of their own: they inherit the environment, not this interpreter's state.
GPU = "PIXELSPACE_GPU" in os.environ
os.environ.update(runtime.environment(gpu=GPU), PYTHONPATH=str(SOURCE))

# In the order in which they override one another.
OVERLAYS = [str(file) for file in workflow.overwrite_configfiles]
FILES = [
    file for file in map(str, workflow.configfiles) if file not in OVERLAYS
] + OVERLAYS

try:
    CONFIG = configuration.load(config, FILES, workflow.config_settings.config)
except UserError as error:
    sys.exit(f"error: {error}")

RESULTS = CONFIG.results

# What the paper may say of its configuration.
WRITTEN_CONFIG = CONFIG.model_dump(exclude={"photos", "figures", "results"})

progress.install(workflow, f"{RESULTS}/logs/snakemake.log")


wildcard_constraints:
    experiment="|".join(CONFIG.experiments),
    replicate=r"\d+",
    projection="|".join(
        sorted({p for e in CONFIG.experiments.values() for p in e.projections})
    ),
    measure="|".join(
        sorted({m for e in CONFIG.experiments.values() for m in e.measures})
    ),


def experiment(wildcards):
    return CONFIG.experiments[wildcards.experiment]


def seed(purpose):
    """A function of wildcards that gives the seed for one purpose of an experiment."""

    def derived(wildcards):
        replicate = int(getattr(wildcards, "replicate", 0))
        return derive(CONFIG.seed, wildcards.experiment, purpose, replicate)

    return derived


def source_files(wildcards):
    """The files that the repository ships for a data set."""
    data = experiment(wildcards).dataset
    if data.source != "mnist":
        return []
    return sorted(str(file) for file in Path(data.mnist.folder).glob("*.gz"))


def source_listing(wildcards):
    """A hash of the photographs' names, sizes and times: they are too many to be inputs each."""
    data = experiment(wildcards).dataset
    if data.source != "folder":
        return None
    files = [
        file for file in sorted(Path(data.folder.path).rglob("*")) if file.is_file()
    ]
    facts = [(file, file.stat()) for file in files]
    listing = "".join(
        f"{file} {fact.st_size} {fact.st_mtime_ns}\n" for file, fact in facts
    )
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def pretrained_weights(wildcards):
    training = experiment(wildcards).training
    return [training.transfer.weights] if training.recipe == "transfer" else []


def network_code(wildcards):
    kind = experiment(wildcards).network.kind
    return fingerprint("pixelspace.networks.storage", f"pixelspace.networks.{kind}")


def network_settings(wildcards):
    network = experiment(wildcards).network
    return {"kind": network.kind, **network.chosen.model_dump()}


def projection_settings(wildcards):
    return experiment(wildcards).projections[wildcards.projection].model_dump()


def measure_settings(wildcards):
    chosen = experiment(wildcards).measures[wildcards.measure]
    return chosen.model_dump(exclude={"every_replicate"})


def measured(name, measure):
    """What a measure of an experiment writes: for its first network, or for each."""
    chosen = CONFIG.experiments[name]
    every = chosen.measures[measure].every_replicate
    return [
        f"{RESULTS}/{name}/{replicate}/measures/{measure}.json"
        for replicate in range(chosen.replicates if every else 1)
    ]


def drawn(kind):
    """Whether there is a figure of a kind of measure."""
    return (SOURCE / f"pixelspace/figures/{kind}.py").is_file()


def measured_projection(wildcards):
    """The projection that a measure is of, if it is of one."""
    name = measure_settings(wildcards).get("projection")
    if name is None:
        return []
    return (
        f"{RESULTS}/{wildcards.experiment}/{wildcards.replicate}/projections/{name}.npz"
    )


def subjects(name):
    """The subjects of an experiment's figures."""
    chosen = CONFIG.experiments[name]
    diagram = ["diagram"] if chosen.network.kind == "perceptron" else []
    sheet = ["projections"] if chosen.projections else []
    measures = [name for name, made in chosen.measures.items() if drawn(made.kind)]
    return ["samples", "training", *diagram, *sheet, *chosen.projections, *measures]


def all_figures():
    return [
        f"{RESULTS}/figures/{name}-{subject}.pdf"
        for name in CONFIG.experiments
        for subject in subjects(name)
    ]


# The text names its figures: the others are targets too, but the paper does not wait for them.
SECTIONS = sorted(str(file) for file in Path("report/sections").glob("*.tex.j2"))
SHOWN = [
    name
    for section in SECTIONS
    for name in re.findall(r"\\paperfigure\{([\w-]+)\}", Path(section).read_text())
]


def figures_of_the_paper():
    return [f"{RESULTS}/figures/{name}.pdf" for name in SHOWN]


def projections(wildcards):
    """The projections of an experiment's first network, by kind and name.

    The order of the configuration depends on what an overlay changes.
    """
    chosen = experiment(wildcards).projections
    order = sorted(
        chosen, key=lambda name: (configuration.KINDS.index(chosen[name].kind), name)
    )
    return [
        f"{RESULTS}/{wildcards.experiment}/0/projections/{projection}.npz"
        for projection in order
    ]


def reports(wildcards):
    """The training reports of all replicates of an experiment."""
    return [
        f"{RESULTS}/{wildcards.experiment}/{replicate}/training.json"
        for replicate in range(experiment(wildcards).replicates)
    ]


def number_sources(group):
    """The artifacts of all experiments whose numbers the paper may cite."""
    paths = []
    for name, chosen in CONFIG.experiments.items():
        folder = f"{RESULTS}/{name}"
        paths += {
            "datasets": [f"{folder}/dataset.h5"],
            "reports": [
                f"{folder}/{r}/training.json" for r in range(chosen.replicates)
            ],
            "measures": [
                path
                for measure, made in chosen.measures.items()
                for path in measured(name, measure)
                if not made.every_replicate
            ],
            "replicated": [
                path
                for measure, made in chosen.measures.items()
                for path in measured(name, measure)
                if made.every_replicate
            ],
            "summaries": [
                f"{folder}/0/measures/of/{p}.json"
                for p in chosen.projections
                if f"{name}-{p}" in SHOWN
            ],
        }[group]
    return paths
