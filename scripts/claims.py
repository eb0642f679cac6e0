"""Rule claims: fail if a claim does."""

from pixelspace import artifacts, runtime
from pixelspace.errors import UserError
from pixelspace.report import claims

with runtime.job(snakemake.log[0]):
    failing = claims.failing(artifacts.read_json(snakemake.input.claims))
    if failing:
        raise UserError("\n".join(failing))
