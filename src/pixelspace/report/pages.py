"""Pages of HTML, filled in by templates."""

from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment


def filled(template: str | Path, **values: object) -> str:
    """Fill the template of a page: what it prints is text, and a name that it lacks is an error."""
    template = Path(template)
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**values)
