"""What sections of the configuration are made of, and those that modules bring with them.

A data set, a network, a projection or a measure of one's own is a module in the package of its
sort, with its keys in a class `Settings`, a `Section`; the module's name is what the configuration
calls it. Such a module is read whenever a run is planned, so it imports TensorFlow where that is
used.
"""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

NAME = r"^[a-z][a-z0-9_]*$"
UNKNOWN = "unknown_key"

Count = Annotated[int, Field(ge=1, lt=2**31)]  # TensorFlow counts with 32 bits
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=NAME, max_length=80)]  # file names have two of them
Units = Annotated[
    Count | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)],
    Field(description="unit numbers, counted from 0, or how many to choose at random"),
]
Images = Annotated[
    Count | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)],
    Field(description="numbers of test images, counted from 0, or how many to choose at random"),
]


class Section(BaseModel):
    """A part of the configuration; a key that it does not name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, given):
        for key in given if isinstance(given, Mapping) else ():
            if key not in cls.model_fields:
                context = {"key": key, "known": list(cls.model_fields)}
                raise PydanticCustomError(UNKNOWN, "unknown key", context)
        return given


def brought(package: str) -> dict[str, type[Section]]:
    """Return the sections that modules of a package bring, by the names of the modules.

    Args:
        package: one of this package, such as ``projections``.
    """
    folder = Path(__file__).parent / package
    return {
        file.stem: import_module(f"pixelspace.{package}.{file.stem}").Settings
        for file in sorted(folder.glob("*.py"))
        if re.search(r"^class Settings\(", file.read_text(encoding="utf-8"), re.M)
    }
