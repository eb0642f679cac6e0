"""Rule train_network: train one network of an experiment and test it."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]), artifacts.open_dataset(snakemake.input.dataset) as dataset:
    runtime.seed_tensorflow(snakemake.params.seed)
    storage = import_module("pixelspace.networks.storage")
    layers = storage.describe(dataset, **snakemake.params.network)
    recipe = import_module(f"pixelspace.networks.{snakemake.params.recipe}")
    trained = recipe.train(layers, dataset, seed=snakemake.params.seed, **snakemake.params.settings)
    storage.save(trained.model, snakemake.output.weights)
    artifacts.write_json(snakemake.output.report, trained.report)
