"""Rule project_units: project units and images that are shown by the methods that they lack."""

from importlib import import_module

from pixelspace import artifacts, runtime, units

with runtime.job(snakemake.log[0]), artifacts.open_dataset(snakemake.input.dataset) as dataset:
    runtime.seed_tensorflow(snakemake.params.seed)
    storage = import_module("pixelspace.networks.storage")
    model = storage.load(dataset, snakemake.input.weights, **snakemake.params.network)
    every_method = import_module("pixelspace.projections.every_method")
    made = every_method.project(
        model,
        dataset,
        seed=snakemake.params.seed,
        known=map(artifacts.read_projection, snakemake.input.projections),
        planned=snakemake.params.planned,
        images=snakemake.params.planned_images,
    )
    artifacts.write_projection(snakemake.output.units, units.bundled(made))
