"""Rule project: project a part of a trained network onto pixel space."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]), artifacts.open_dataset(snakemake.input.dataset) as dataset:
    runtime.seed_tensorflow(snakemake.params.seed)
    storage = import_module("pixelspace.networks.storage")
    model = storage.load(dataset, snakemake.input.weights, **snakemake.params.network)
    settings = dict(snakemake.params.settings)
    method = import_module(f"pixelspace.projections.{settings.pop('kind')}")
    projection = method.project(model, dataset, seed=snakemake.params.seed, **settings)
    artifacts.write_projection(snakemake.output.projection, projection)
