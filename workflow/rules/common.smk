import difflib
import functools
import os
import re

import guard
import lineage
import progress
import targets
import warm
import why
from pixelspace import fingerprint, machine, planned_units, runtime
from pixelspace import sweeps as planning
from pixelspace.files import digest, listing
from pixelspace.seeds import derive

GPU = "PIXELSPACE_GPU" in os.environ
LOCK = "requirements-gpu.txt" if GPU else "requirements.txt"
REMOTE = workflow.storage_settings.default_storage_provider is not None
# In the order in which they override one another.
OVERLAYS = [str(file) for file in workflow.overwrite_configfiles]
FILES = [
    file for file in map(str, workflow.configfiles) if file not in OVERLAYS
] + OVERLAYS

try:
    # Jobs are processes of their own: they inherit the environment, not this interpreter's state.
    os.environ.update(
        runtime.environment(gpu=GPU, remote=REMOTE), PYTHONPATH=str(SOURCE)
    )
    CONFIG = configuration.load(config, FILES, workflow.config_settings.config)
    machine.check(CONFIG.results, os.environ)
except UserError as error:
    sys.exit(f"error: {error}")

RESULTS = CONFIG.results

# Stands for the replicate that projections look at, where there are several.
MEDIAN = "median"

# What the paper may say of its configuration.
WRITTEN_CONFIG = configuration.recorded(CONFIG)

(why if "PIXELSPACE_WHY" in os.environ else progress).install(
    workflow, f"{RESULTS}/logs/snakemake.log"
)


def maker_of_point(path):
    """What the job writes that keeps a network of a sweep in a file of its own, if this is one."""
    point = Path(path)
    job = point.parent == Path(RESULTS, "points") and job_of_network().get(point.stem)
    return f"{RESULTS}/points/jobs/{job}.json" if job else None


guard.install(workflow, RESULTS, maker_of_point)
warm.install(workflow)


# Matches nothing, as no name does where there are none.
NONE = "(?!)"


wildcard_constraints:
    experiment="|".join(CONFIG.experiments),
    replicate=rf"\d+|{MEDIAN}",
    projection="|".join(
        sorted({p for e in CONFIG.experiments.values() for p in e.projections})
    )
    or NONE,
    measure="|".join(
        sorted({m for e in CONFIG.experiments.values() for m in e.measures})
    )
    or NONE,
    sweep="|".join(CONFIG.sweeps) or NONE,
    points="[a-z0-9_]+-([01]+|all)",


def experiment(wildcards):
    return CONFIG.experiments[wildcards.experiment]


def seed(purpose):
    """A function of wildcards that gives the seed for one purpose of an experiment."""

    def derived(wildcards):
        replicate = getattr(wildcards, "replicate", MEDIAN)
        number = 0 if replicate == MEDIAN else int(replicate)
        return derive(CONFIG.seed, CONFIG.stem(wildcards.experiment), purpose, number)

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
    return listing(data.folder.path)


def photographs():
    """Where the photographs of each experiment that has some are from."""
    data = {name: chosen.dataset for name, chosen in CONFIG.experiments.items()}
    return {
        name: of.folder.path if of.source == "folder" else of.git.repository
        for name, of in data.items()
        if of.source in ("folder", "git")
    }


def commits_of_photographs(wildcards):
    """The same by data set among what the paper cites, with the commit of those in a repository."""
    found = {}
    for name, place in photographs().items():
        data = CONFIG.experiments[name].dataset
        commit = data.git.commit if data.source == "git" else ""
        if f"{name}/dataset.h5" in steps():
            found[f"{name}/dataset.h5"] = (place, commit)
    return found


def pretrained_weights(wildcards):
    training = experiment(wildcards).training
    return [training.transfer.weights] if training.recipe == "transfer" else []


def code(script, named=lambda wildcards: ()):
    """A function of wildcards that gives fingerprints of a script and of each module it imports.

    `named` gives modules that it imports by a name in the settings.
    """
    path = Path(workflow.basedir, "scripts", f"{script}.py")

    def parts(wildcards):
        try:
            return fingerprint.parts(*named(wildcards), script=path)
        except UserError as error:
            sys.exit(f"error: {error}")

    return parts


def network_module(wildcards):
    return f"pixelspace.networks.{experiment(wildcards).network.kind}"


def network_settings(wildcards):
    network = experiment(wildcards).network
    return {"kind": network.kind, **network.chosen.model_dump()}


def projection_settings(wildcards):
    return experiment(wildcards).projections[wildcards.projection].model_dump()


def measure_settings(wildcards):
    chosen = experiment(wildcards).measures[wildcards.measure]
    return chosen.model_dump(exclude={"every_replicate"})


def shown(name):
    """The folder of the network of an experiment that projections look at."""
    return (
        f"{RESULTS}/{name}/{MEDIAN if CONFIG.experiments[name].replicates > 1 else 0}"
    )


def shown_of_several(wildcards):
    """What says which of several networks of an experiment projections look at."""
    several = CONFIG.experiments[wildcards.experiment].replicates > 1
    return [f"{shown(wildcards.experiment)}/training.json"] if several else []


def shown_by_measure(wildcards):
    """The same for a figure of a measure, unless that is of all networks or of its own."""
    made = experiment(wildcards).measures[wildcards.measure]
    others = made.every_replicate or made.kind == "code_frequency"
    return [] if others else shown_of_several(wildcards)


def replicates(name):
    """The folders of all networks of an experiment."""
    return [f"{RESULTS}/{name}/{r}" for r in range(CONFIG.experiments[name].replicates)]


def measured(name, measure):
    """What a measure of an experiment writes: for the network that is shown, or for each."""
    every = CONFIG.experiments[name].measures[measure].every_replicate
    folders = replicates(name) if every else [shown(name)]
    return [f"{folder}/measures/{measure}.json" for folder in folders]


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
    drawable = chosen.network.kind == "perceptron" and "weights" in chosen.projections
    diagram = ["diagram"] if drawable else []
    sheet = ["projections"] if chosen.projections else []
    measures = [name for name, made in chosen.measures.items() if drawn(made.kind)]
    return ["samples", "training", *diagram, *sheet, *chosen.projections, *measures]


def labels(subject=None):
    """A function of wildcards that says what a figure is of, for Snakemake's report."""

    def of_figure(wildcards):
        name = subject or getattr(wildcards, "projection", None) or wildcards.measure
        chosen = experiment(wildcards)
        made = chosen.projections.get(name) or chosen.measures.get(name)
        layers = getattr(made, "layers", None) or [getattr(made, "layer", None)]
        return {
            "figure": name,
            "method": made.kind.replace("_", " ") if made else "",
            "layer": ", ".join(layer for layer in layers if layer),
        }

    return of_figure


def all_figures():
    return [
        f"{RESULTS}/figures/{name}-{subject}.pdf"
        for name in CONFIG.experiments
        for subject in subjects(name)
    ] + [f"{RESULTS}/figures/sweep-{name}.pdf" for name in CONFIG.sweeps]


def named_artifacts():
    """What can be asked for of figures, sweeps, projections and measures, without endings."""
    files = all_figures() + [f"{RESULTS}/sweeps/{name}.csv" for name in CONFIG.sweeps]
    for name, chosen in CONFIG.experiments.items():
        for folder in {*replicates(name), shown(name)}:
            files += [f"{folder}/projections/{p}.npz" for p in chosen.projections]
            files += [f"{folder}/measures/{m}.json" for m in chosen.measures]
    return [str(Path(file).with_suffix("")) for file in files]


targets.install(workflow, RESULTS, named_artifacts)


# The text names its figures: the others are targets too, but the paper does not wait for them.
SECTIONS = sorted(str(file) for file in Path("report/sections").glob("*.tex.j2"))
TEXT = "".join(Path(section).read_text(encoding="utf-8") for section in SECTIONS)
SHOWN = {
    name: f"{section}:{number}"
    for section in SECTIONS
    for number, line in enumerate(
        Path(section).read_text(encoding="utf-8").splitlines(), start=1
    )
    for name in re.findall(r"\\paperfigure\{([\w-]+)\}", line)
}

# What a crate has copies of, so that whoever has the results alone sees how they were made.
CRATE_SOURCES = [
    "Snakefile",
    "CITATION.cff",
    "LICENSE",
    "LICENSE-CC-BY-4.0",
    LOCK,
] + sorted(
    path.as_posix()
    for path in Path("workflow").rglob("*.*")
    if path.suffix in (".smk", ".py")
)

# The experiments that the text tells of, which is to cite all that is measured of them; it need not
# be about what only an overlay measures. The appendix has tables of the others.
OWN = not OVERLAYS and not workflow.config_settings.config
UNTOLD = [name for name in CONFIG.experiments if f'"{name}.' not in TEXT]
TOLD = [name for name in CONFIG.experiments if OWN and name not in UNTOLD]


def figures_of_the_paper(wildcards=None):
    """The figures of the paper; if the text names one that the configuration has not, the run ends.

    Snakemake would say nothing of it where the paper is there, and leave the paper as it is.
    """
    known = [Path(figure).stem for figure in all_figures()]
    for name, place in SHOWN.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            sys.exit(f"error: {place}: there is no figure {name}{hint}")
    swept = [f"sweep-{name}" for name in CONFIG.sweeps]
    return [f"{RESULTS}/figures/{name}.pdf" for name in [*SHOWN, *swept]]


def pictures_of_the_paper(wildcards):
    """The same for screens."""
    return [Path(figure).with_suffix(".png") for figure in figures_of_the_paper()]


def shipped(files):
    """A file of the project, or several, as a rule's input; if one is gone, the run ends.

    Snakemake would not miss it where what is made of it is there.
    """
    for file in [files] if isinstance(files, str) else files:
        if workflow.is_main_process and not Path(file).is_file():
            sys.exit(f"error: {file}: this file of the project is not there")
    return local(files)


def projections(wildcards):
    """The projections of the network of an experiment that is shown, by kind and name."""
    return projections_of(wildcards.experiment)


def projections_of(name):
    """The same, by the name of the experiment.

    The order of the configuration depends on what an overlay changes.
    """
    chosen = CONFIG.experiments[name].projections
    order = sorted(
        chosen, key=lambda name: (configuration.KINDS.index(chosen[name].kind), name)
    )
    return [f"{shown(name)}/projections/{projection}.npz" for projection in order]


def reports(wildcards):
    """The training reports of all replicates of an experiment."""
    return [f"{folder}/training.json" for folder in replicates(wildcards.experiment)]


def shown_projection(wildcards):
    """The projection that a figure is of."""
    return f"{shown(wildcards.experiment)}/projections/{wildcards.projection}.npz"


def number_sources(group):
    """The artifacts of all experiments whose numbers the paper may cite."""
    paths = []
    for name, chosen in CONFIG.experiments.items():
        paths += {
            "datasets": [f"{RESULTS}/{name}/dataset.h5"],
            "reports": [f"{folder}/training.json" for folder in replicates(name)],
            "shown": [f"{shown(name)}/training.json"],
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
                f"{shown(name)}/measures/of/{p}.json"
                for p in chosen.projections
                if name in UNTOLD or f"{CONFIG.stem(name)}-{p}" in SHOWN
            ],
        }[group]
    return paths


def files_of_crate(wildcards):
    """What a crate of the results has beside the paper."""
    kinds = ("pdf", "png", "txt")
    figures = [Path(figure) for figure in figures_of_the_paper()]
    drawn = [
        str(figure.with_suffix(f".{kind}")) for figure in figures for kind in kinds
    ]
    swept = [
        f"{RESULTS}/sweeps/{s}.{kind}"
        for s in CONFIG.sweeps
        for kind in ("csv", "json")
    ]
    return drawn + swept


def committed(wildcards):
    """The hash of what git has of the project; without it, or with changes, the run ends."""
    from pixelspace.report import archive  # nothing else that plans needs it

    try:
        return archive.state(workflow.basedir)
    except UserError as error:
        sys.exit(f"error: {error}")


@functools.cache
def steps():
    """What made each file that the paper cites or shows, and all that these are made of."""
    groups = ("datasets", "reports", "shown", "measures", "replicated", "summaries")
    files = [file for group in groups for file in number_sources(group)]
    files += [
        f"{RESULTS}/config.json",
        f"{RESULTS}/claims.json",
        *figures_of_the_paper(),
    ]
    # Where files pass through a remote storage, paths begin with where it puts them here.
    prefix = str(rules.collect_numbers.output.numbers).removesuffix("numbers.json")
    own = {file.removeprefix(f"{RESULTS}/") for file in files}
    return lineage.trace(workflow, own, prefix)


def steps_made(wildcards):
    """Those of these files that are made here."""
    return [f"{RESULTS}/{file}" for file, step in steps().items() if step]


def data_of_steps(wildcards):
    """Those of these files that the repository or the user has."""
    return [file for file, step in steps().items() if not step]


@functools.cache
def networks(sweep):
    """All networks of a sweep."""
    return planning.points(CONFIG, sweep)


@functools.cache
def jobs():
    """The networks of all sweeps, by the job that computes them.

    One that an experiment trains too is in none; one of several sweeps is of the first.
    """
    found, known = {}, set()
    for sweep in CONFIG.sweeps:
        own = [p for p in networks(sweep) if p.repeats is None and p.key not in known]
        known |= {point.key for point in own}
        for job, part in planning.batches(own, CONFIG.points_per_job).items():
            found[f"{sweep}-{job}"] = part
    return found


@functools.cache
def job_of_network():
    """The job of each network, by the network's key."""
    return {point.key: job for job, own in jobs().items() for point in own}


def minutes_of_points(wildcards, attempt):
    """The time that a cluster allows a job: for its networks, of which one may be like the digits'."""
    return attempt * (20 + 5 * len(jobs()[wildcards.points]))


def modules_of_points(wildcards):
    """What makes the images of a job's networks, trains them and measures."""
    own = [point.settings for point in jobs()[wildcards.points]]
    return sorted({module for settings in own for module in planning.modules(settings)})


def failures_of_points(wildcards):
    """How often networks of a job failed: they are tried again when the next run is planned."""
    return planning.failures(Path(RESULTS, "points"), jobs()[wildcards.points])


@functools.cache
def images_of_experiments():
    """The data set of each experiment, by a digest of what it depends on."""
    return {
        digest(planning.of_images(CONFIG, name, chosen)): f"{RESULTS}/{name}/dataset.h5"
        for name, chosen in CONFIG.experiments.items()
    }


def images_of_points(wildcards):
    """Those of these digests that are of images of a job."""
    own = {digest(p.settings["dataset"]) for p in jobs()[wildcards.points]}
    return [images for images in images_of_experiments() if images in own]


def datasets_of_points(wildcards):
    """The data sets of experiments that have images of a job."""
    return [images_of_experiments()[images] for images in images_of_points(wildcards)]


def jobs_of_sweep(wildcards):
    """What the jobs write that compute the networks of a sweep."""
    own = [
        job_of_network()[point.key]
        for point in networks(wildcards.sweep)
        if point.repeats is None
    ]
    return [f"{RESULTS}/points/jobs/{job}.json" for job in dict.fromkeys(own)]


def repeated_by_sweep(wildcards):
    """What is known of the experiments' networks that a sweep repeats, in their order."""
    measures = [f"measures/{name}" for name in CONFIG.sweeps[wildcards.sweep].measures]
    repeated = [point.repeats for point in networks(wildcards.sweep) if point.repeats]
    return [
        f"{RESULTS}/{name}/{replicate}/{artifact}.json"
        for name, replicate in repeated
        for artifact in ("training", *measures)
    ]


def networks_of_sweep(wildcards):
    """What the table of a sweep says of each network, beside its numbers."""
    return [
        {
            "varied": dict(point.varied),
            "replicate": point.replicate,
            "key": point.key,
            "repeats": point.repeats is not None,
        }
        for point in networks(wildcards.sweep)
    ]


EXPLORER = f"{RESULTS}/explorer"


def looks():
    """Where in the explorer, seen from the paper's page, there is more to see than each figure shows.

    A projection is shown there itself, and with all else the network and its numbers; with a sweep
    those of the network that it varies.
    """
    return {
        f"{name}-{subject}": f"explorer/index.html#network={name}&"
        + (f"projection={subject}" if subject in chosen.projections else "look=network")
        for name, chosen in CONFIG.experiments.items()
        for subject in subjects(name)
    } | {
        f"sweep-{name}": f"explorer/index.html#network={sweep.experiment}&look=network"
        for name, sweep in CONFIG.sweeps.items()
    }


def units_of(name):
    """What there is of the units and images of an experiment beside its projections."""
    return f"{RESULTS}/units/{name}-{Path(shown(name)).name}.npz"


def figures_of_explorer(name):
    """The figures of an experiment that are of no projection: images, training, measures, sweeps."""
    apart = {"projections", *CONFIG.experiments[name].projections}
    figures = [
        f"{name}-{subject}" for subject in subjects(name) if subject not in apart
    ]
    figures += [
        f"sweep-{sweep}"
        for sweep in CONFIG.sweeps
        if CONFIG.sweeps[sweep].experiment == name
    ]
    return [f"{RESULTS}/figures/{figure}.png" for figure in figures]


def of_explorer():
    """The files that the page of the explorer needs: for each experiment its data and pictures."""
    files = []
    for name, chosen in CONFIG.experiments.items():
        shown = [*chosen.projections, *planned_units.sheets(chosen)]
        sheets = [f"{name}-{own}.webp" for own in shown]
        figures = [Path(figure).name for figure in figures_of_explorer(name)]
        files += [f"{name}.js", *sheets, *figures]
    return [f"{EXPLORER}/{file}" for file in files]
