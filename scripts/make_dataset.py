"""Rule make_dataset: make the images of one experiment."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    source = import_module(f"pixelspace.datasets.{snakemake.params.source}")
    dataset = source.make(seed=snakemake.params.seed, **snakemake.params.settings)
    artifacts.write_dataset(snakemake.output.dataset, dataset)
