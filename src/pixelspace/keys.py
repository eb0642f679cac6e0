"""The keys of a configuration: as paths, and where in a file they stand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pixelspace.errors import UserError

LATIN_END = "\u0180"
"""The characters before it are those of the paper's and the figures' fonts, but for `LACKING`."""

LACKING = "ĦħĸĿŀŉŦŧſ"


def can_be_typeset(text: str) -> bool:
    """Tell whether the paper's font has every character of a text."""
    return text.isprintable() and all(c < LATIN_END and c not in LACKING for c in text)


MERGE = "tag:yaml.org,2002:merge"

LARGEST = 1_000_000  # bytes, fifty times what the paper's configuration has
MOST_KEYS = 100_000
DEEPEST = 50
TOO_MUCH = (
    f"too much to be meant: a file has at most {LARGEST:,} bytes, {MOST_KEYS:,} keys, aliases "
    f"written out, and {DEEPEST} levels"
)


def flat(section: Mapping, above: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the values of nested mappings by their paths, ``{"a.b": 1}`` for ``{"a": {"b": 1}}``.

    A list, and a mapping that is empty, is one value.
    """
    found: dict[str, object] = {}
    for key, value in section.items():
        here = (*above, str(key))
        found |= (
            flat(value, here) if isinstance(value, Mapping) and value else {".".join(here): value}
        )
    return found


def key_lines(file: Path) -> dict[tuple[str, ...], int]:
    """Return the line of every key of a YAML file by its path.

    The file is read as plain data: a tag that would make anything else of it is an error.

    Raises:
        UserError: if the file is no YAML mapping, has a key twice or a value that is none, or is
            larger, deeper or, by its aliases, longer than anyone would write.
    """
    try:
        loader = yaml.SafeLoader(_text(file))
        root = loader.get_single_node()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _unreadable(file, error) from None
    except RecursionError:
        raise UserError(f"{file}: {TOO_MUCH}") from None
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"{file}: must be a mapping of keys to values")
    lines: dict[tuple[str, ...], int] = {}

    def scalar(node: yaml.Node, path: tuple[str, ...]) -> Any:
        try:
            value = loader.construct_object(node)
            str(value).encode()  # an escape can make what is no text, and no file can hold
            return value
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            raise _unreadable(file, error, node, path) from None

    def walk(node: yaml.Node, path: tuple[str, ...]) -> None:
        if len(path) > DEEPEST or len(lines) > MOST_KEYS:
            raise UserError(f"{file}:{node.start_mark.line + 1}: {TOO_MUCH}")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                # As the merged configuration has it, where 0x10 is 16.
                here = (*path, "<<" if key.tag == MERGE else str(scalar(key, path)))
                line = key.start_mark.line + 1
                if here in lines:
                    raise UserError(
                        f"{file}:{line}: {'.'.join(here)}: this key stands here twice; "
                        f"it is already in line {lines[here]}"
                    )
                lines[here] = line
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                lines[(*path, str(i))] = value.start_mark.line + 1
                walk(value, (*path, str(i)))
        else:
            scalar(node, path)

    walk(root, ())
    try:
        loader.construct_document(root)
    except yaml.YAMLError as error:
        raise _unreadable(file, error) from None
    return lines


def _unreadable(
    file: Path, error: Exception, node: yaml.Node | None = None, path: tuple[str, ...] = ()
) -> UserError:
    """Return what to say of a file that is no YAML, or not at a node; with the line if known."""
    mark = node.start_mark if node else getattr(error, "problem_mark", None)
    place = f"{file}:{mark.line + 1}" if mark else str(file)
    key = f"{'.'.join(path)}: " if path else ""
    reason = " ".join(str(getattr(error, "problem", None) or error).split())
    return UserError(f"{place}: {key}not readable as YAML: {reason}")


def _text(file: Path) -> str:
    if file.stat().st_size > LARGEST:
        raise UserError(f"{file}: {TOO_MUCH}")
    return file.read_text(encoding="utf-8")
