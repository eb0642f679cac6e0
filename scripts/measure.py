"""Rule measure: take numbers from a trained network."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]), artifacts.open_dataset(snakemake.input.dataset) as dataset:
    runtime.seed_tensorflow(snakemake.params.seed)
    storage = import_module("pixelspace.networks.storage")
    model = storage.load(dataset, snakemake.input.weights, **snakemake.params.network)
    settings = dict(snakemake.params.settings)
    if snakemake.input.projection:
        settings["projection"] = artifacts.read_projection(snakemake.input.projection)
    method = import_module(f"pixelspace.measures.{settings.pop('kind')}")
    numbers = method.measure(model, dataset, seed=snakemake.params.seed, **settings)
    artifacts.write_json(snakemake.output.measure, numbers)
