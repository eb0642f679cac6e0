"""Data sets: each module has `make`, which returns a `pixelspace.artifacts.Dataset`."""
