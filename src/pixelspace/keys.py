"""Where the keys of a YAML file stand, for messages that name their lines."""

from pathlib import Path

import yaml

from pixelspace.errors import UserError


def key_lines(file: Path) -> dict[tuple[str, ...], int]:
    """Return the line of every key of a YAML file by its path.

    Raises:
        UserError: if the file is no YAML mapping or has a key twice.
    """
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from None
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"{file}: must be a mapping of keys to values")
    lines: dict[tuple[str, ...], int] = {}

    def walk(node: yaml.Node, path: tuple[str, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*path, str(key.value))
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

    walk(root, ())
    return lines
