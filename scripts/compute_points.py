"""Rule compute_points: train and measure those networks of sweeps that are not yet known."""

from pathlib import Path

from pixelspace import artifacts, points, runtime

with runtime.job(snakemake.log[0]):
    found = points.complete(
        snakemake.params.points,
        points.Store(Path(snakemake.output.points).parents[1]),
        dict(zip(snakemake.params.images, snakemake.input.datasets, strict=True)),
    )
    artifacts.write_json(snakemake.output.points, found)
