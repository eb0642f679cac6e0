"""All that is in a file of results, unpacked, to look for what should not be there."""

import base64
import gzip
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject, StreamObject


def contents(file: Path, whole: bytes) -> Iterator[bytes]:
    """Yield the bytes of a file, and those of each part of it as they are without compression."""
    yield whole
    match file.suffix if file.parent.name != ".sha256" else "":  # the records of hashes
        case ".npz":
            with zipfile.ZipFile(io.BytesIO(whole)) as packed:
                for name in packed.namelist():
                    yield name.encode()
                    yield _plain(np.load(io.BytesIO(packed.read(name)), allow_pickle=False))
        case ".gz":
            yield gzip.decompress(whole)
            if file.name.endswith(".tar.gz"):
                with tarfile.open(fileobj=io.BytesIO(whole)) as packed:
                    for member in filter(tarfile.TarInfo.isfile, packed):
                        yield from contents(Path(member.name), packed.extractfile(member).read())
        case ".html":
            for data in re.findall(rb";base64,([\w+/]+=*)", whole):
                yield base64.b64decode(data)
        case ".h5":
            with h5py.File(io.BytesIO(whole)) as stored:
                found: list[h5py.HLObject] = [stored]
                stored.visititems(lambda _, item: found.append(item))
                for item in found:
                    yield item.name.encode()
                    yield repr(dict(item.attrs)).encode()
                    if isinstance(item, h5py.Dataset):
                        yield from _rows(item)
        case ".pdf":
            yield from _objects(PdfReader(io.BytesIO(whole)))
        case ".png":
            yield repr(Image.open(io.BytesIO(whole)).info).encode()


def _plain(array: np.ndarray) -> bytes:
    return (
        " ".join(map(str, array.ravel())).encode() if array.dtype.kind == "U" else array.tobytes()
    )


def _rows(dataset: h5py.Dataset) -> Iterator[bytes]:
    if dataset.dtype.kind == "O":
        yield b" ".join(dataset[:].ravel())
    elif dataset.ndim and not dataset.compression:
        return  # as it stands in the file
    else:
        yield np.asarray(dataset[()]).tobytes()


def _objects(reader: PdfReader) -> Iterator[bytes]:
    """Yield all objects but for pixels, and the text, which stands there in pieces."""
    for number in range(1, int(reader.trailer["/Size"])):
        found = reader.get_object(IndirectObject(number, 0, reader))
        if isinstance(found, DictionaryObject):
            yield repr(dict.items(found)).encode()
        if isinstance(found, StreamObject) and found.get("/Subtype") != "/Image":
            yield found.get_data()
    yield "".join(page.extract_text() for page in reader.pages).encode()


def holding(folder: Path, words: list[str]) -> dict[str, list[str]]:
    """Return those of some words that are in a file of results or its name, by the file.

    Logs, and what is said of the machine, may name it.
    """
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder)
        if name.parts[0] in ("logs", "machine"):
            continue
        parts = [str(name).encode(), *contents(file, file.read_bytes())]
        held = [word for word in words if any(word.encode() in part for part in parts)]
        if held:
            found[str(name)] = held
    return found
