"""Photographs in a git repository, at one pinned commit, with their labels in a CSV file.

Only the commit, the images and the label file are fetched: shallow, partial and sparse. The
commit's hash covers every file in it, and git compares the hashes as it fetches, so the content
is what the commit's author recorded. A repository is not trusted with more than its content: no
hook, filter, submodule or symbolic link of it takes effect, nor the user's own configuration.
"""

import contextlib
import csv
import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pixelspace.artifacts import Dataset
from pixelspace.datasets import photos
from pixelspace.datasets.photos import Photo, shown
from pixelspace.errors import UserError

SECONDS = 1800
"""A git command that takes longer is stopped."""

BYTES = 16 * 2**30
"""A file that git would make larger, such as the pack of all that it fetches, ends its work. So do
files that would be larger together, however small a repository packs them."""

ABANDONED = 24 * 3600
"""Seconds after which what a fetch left behind that was killed is removed by the next."""

FETCHED_AT_ONCE = 500
"""Files whose hashes are given to one command."""

REMOTE = re.compile(
    r"https://[^@/?#\s-][^@/?#\s]*/[^@?#\s]+"
    r"|ssh://[\w.][\w.-]*(@[\w.][\w.-]*)?(:\d+)?/\S+"
    r"|[\w.][\w.-]*@[\w.][\w.-]*:[^\s-]\S*"
)
"""Addresses that are fetched from: none has a password or a token, or reads as an option."""

UPLOAD_PACK = "git -c uploadpack.allowFilter=true upload-pack"
"""What serves a local repository, which by itself would send every file of the commit."""

ATTRIBUTES = "* !text !eol !ident !filter !working-tree-encoding\n"
"""Overrides what the repository says about its files, so that they are checked out as they are."""

MISSING = re.compile("not our ref|unadvertised object|find remote ref")
TOO_LARGE = re.compile(rf"died of signal {int(signal.SIGXFSZ)}\b|File too large")
NOISE = re.compile("warning:|hint:|$")

ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_ASKPASS": "",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=60",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}

CONFIG = {
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.symlinks": "false",  # a link is checked out as a file that holds its target
    "fetch.negotiationAlgorithm": "noop",  # there is nothing yet that could be left out
    "gc.auto": "0",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "protocol.version": "2",
    "submodule.recurse": "false",
}


def make(
    *,
    repository: str,
    commit: str,
    images: str,
    labels: str,
    class_names: Mapping[str | int, str],
    cache: str,
    seed: int,
    **settings,
) -> Dataset:
    """Return the data set of the labelled photographs in a git repository.

    Args:
        repository: an address (https, ssh or file), or the path of a local repository.
        commit: the commit's hash, all 40 hexadecimal digits.
        images: the folder of the photographs, relative to the repository's root.
        labels: the label file, likewise; see `read_labels`.
        class_names: the class of each label, in the order that the classes are to have.
        cache: a folder that keeps what was fetched. It is fetched once.
        seed: decides the split and the order.
        settings: the others of `pixelspace.datasets.photos.make`.

    Raises:
        UserError: if the repository, the commit, the folder or the label file cannot be had, or
            a label names no image or no class; also see `pixelspace.datasets.photos.make`.
    """
    images, labels = (
        _relative(key, path) for key, path in (("images", images), ("labels", labels))
    )
    root = checkout(repository=repository, commit=commit, images=images, labels=labels, cache=cache)
    names = list(dict.fromkeys(class_names.values()))
    label_of = {str(label): names.index(name) for label, name in class_names.items()}
    found = [
        Photo(root / images / name, label, f"{images}/{name}")
        for name, label in read_labels(root / labels, os.listdir(root / images), label_of).items()
    ]
    return photos.make(found, names, seed=seed, **settings)


def read_labels(path: Path, files: list[str], label_of: Mapping[str, int]) -> dict[str, int]:
    """Return the label of each image file that a CSV file names, sorted by file name.

    In each row the first column names an image and the last has its label. An image is named by
    its file name, with or without the extension, or by the number at the end of that name:
    ``img_0031.jpg``, ``img_0031`` and ``31`` are the same. If there is one column only, the rows
    stand for the numbers 1, 2, 3 … The first row is a header if it has neither a known label
    nor an image's name. Files that no row names, and hidden ones, are left out.

    Args:
        path: the CSV file, in UTF-8.
        files: the names of the image files.
        label_of: the index of each label's class.

    Raises:
        UserError: if a row names no image, more than one, or one again, or its label is unknown.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"labels: {shown(path)} cannot be read as CSV in UTF-8: {error}") from error
    candidates = _candidates(files)
    if rows and rows[0][-1].strip() not in label_of and not _named(rows[0][0], candidates):
        del rows[0]
    found: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        where = f"labels: {shown(path)}, row {number}"
        key = row[0].strip() if len(row) > 1 else str(number)
        label = row[-1].strip()
        names = _named(key, candidates)
        if len(names) != 1:
            count = f"may be any of {len(names)} files" if names else "is missing"
            raise UserError(f"{where}: the image {shown(key)} {count}; mend the row or the folder")
        if names[0] in found:
            raise UserError(f"{where}: the image {shown(names[0])} has a label already; keep one")
        if label not in label_of:
            known = ", ".join(map(shown, label_of))
            raise UserError(f"{where}: the label {shown(label)} is not in class_names ({known})")
        found[names[0]] = label_of[label]
    return dict(sorted(found.items()))


def _named(name: str, candidates: Mapping[str | int, list[str]]) -> list[str]:
    """Return the files that a name may stand for; see `read_labels`."""
    name = name.strip()
    number = int(name) if re.fullmatch(r"\d{1,18}", name) else None
    return candidates.get(name) or candidates.get(number, [])


def _candidates(files: list[str]) -> dict[str | int, list[str]]:
    """Return the files that each possible name stands for: whole, without extension, number."""
    candidates: dict[str | int, list[str]] = {}
    for name in files:
        if name.startswith("."):
            continue
        stem = PurePosixPath(name).stem
        digits = re.search(r"\d{1,18}$", stem)
        for key in {name, stem} | ({int(digits[0])} if digits else set()):
            candidates.setdefault(key, []).append(name)
    return candidates


def checkout(*, repository: str, commit: str, images: str, labels: str, cache: str) -> Path:
    """Return a folder that has ``images`` and ``labels`` as they are in the commit.

    It is made in ``cache`` under a temporary name and moved into place when it is complete. If
    it is there already nothing is fetched, and git compares its files with the commit.
    """
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise UserError(
            f"commit: {shown(commit)} is not a full hash; give all 40 hexadecimal digits, since a "
            "branch or a tag may move"
        )
    address = _address(repository)
    wanted = hashlib.sha256(f"{images}\0{labels}".encode()).hexdigest()[:8]
    final = Path(os.path.expanduser(cache)) / f"{commit}-{wanted}"
    if not final.exists():
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cache: {shown(cache)}: {error.strerror}") from error
        for left in final.parent.glob(".fetch-*"):
            with contextlib.suppress(FileNotFoundError):  # another job was faster
                if time.time() - left.stat().st_mtime > ABANDONED:
                    shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=final.parent, prefix=".fetch-") as temporary:
            folder = Path(temporary) / "checkout"
            _fetch(folder, address, commit, images, labels)
            try:
                folder.rename(final)
            except OSError:  # another job was faster
                if not final.exists():
                    raise
    if _git(final, "rev-parse", "HEAD").strip() != commit or _git(
        final, "status", "--porcelain", "--untracked-files=no"
    ):
        raise UserError(f"cache: {shown(final)} changed since it was fetched; delete it, run again")
    return final


def _relative(key: str, path: str) -> str:
    """Return a path inside the repository in its plain form, ``a/b/c``."""
    plain = PurePosixPath(path)
    if plain.is_absolute() or ".." in plain.parts or not plain.parts or not path.isprintable():
        raise UserError(f"{key}: {shown(path)} is not a path relative to the repository's root")
    return str(plain)


def _address(repository: str) -> str:
    """Return what git is to fetch from, for an address or a local path."""
    if REMOTE.fullmatch(repository):
        return repository
    path = repository.removeprefix("file://")
    if path.startswith("-") or "::" in path or "://" in path:
        raise UserError(
            f"repository: {shown(repository)} is refused; give an https or ssh address without a "
            "password or a token, or the path of a local repository"
        )
    local = Path(os.path.expanduser(path))
    if not path or not os.path.isdir(local):
        raise UserError(f"repository: {shown(repository)} is neither an address nor a folder")
    return str(local.resolve())


def _fetch(folder: Path, address: str, commit: str, images: str, labels: str) -> None:
    """Make a repository in ``folder`` that has the commit, and check out what is wanted of it."""
    folder.mkdir()
    _git(folder, "init", "-q", "--template=")
    _git(folder, "config", "remote.origin.url", address)
    if address.startswith("/"):
        _git(folder, "config", "remote.origin.uploadpack", UPLOAD_PACK)
    shallow_partial = ("--depth=1", "--filter=blob:none", "--no-tags")
    try:
        _git(folder, "fetch", "-q", *shallow_partial, "origin", commit)
    except UserError as error:
        if MISSING.search(str(error)):
            raise UserError(f"commit: {shown(address)} has no commit {commit}") from error
        raise UserError(
            f"repository: {shown(address)} cannot be fetched ({error}); check the address and the "
            "connection"
        ) from error
    if (kind := _git(folder, "cat-file", "-t", commit).strip()) != "commit":
        raise UserError(f"commit: {commit} is a {kind} of {shown(address)}; give a commit's hash")
    for key, path, kind in (("images", images, "040000 tree"), ("labels", labels, "100")):
        if not _git(folder, "ls-tree", commit, "--", path).startswith(kind):
            what = "folder" if key == "images" else "file"
            raise UserError(f"{key}: commit {commit} has no {what} {shown(path)}")
    _check_size(folder, commit, images, labels)
    information = folder / ".git" / "info"
    information.mkdir()
    (information / "attributes").write_text(ATTRIBUTES)
    patterns = (f"/{_literal(images)}/\n", f"/{_literal(labels)}\n")
    (information / "sparse-checkout").write_text("".join(patterns), encoding="utf-8")
    _git(folder, "config", "core.sparseCheckout", "true")
    _git(folder, "checkout", "-q", "--detach", commit)


def _check_size(folder: Path, commit: str, *paths: str) -> None:
    """Fetch what is wanted, and end if it is larger than `BYTES` once it is unpacked."""
    listing = ("ls-tree", "-r", "-z", commit, "--", *paths)
    listed = [line.split() for line in _git(folder, *listing).split("\0") if line]
    wanted = sorted({name for _, kind, name, *_ in listed if kind == "blob"})
    for start in range(0, len(wanted), FETCHED_AT_ONCE):
        # One by one, as git does of itself to tell their sizes, would take hours.
        some = wanted[start : start + FETCHED_AT_ONCE]
        told = ("--no-tags", "--no-write-fetch-head", "--filter=blob:none")
        _git(folder, "fetch", "-q", *told, "origin", *some)
    sizes = _git(folder, "ls-tree", "-r", "-z", "-l", commit, "--", *paths).split("\0")
    size = sum(int(line.split()[3]) for line in sizes if " blob " in line.partition("\t")[0])
    if size > BYTES:
        raise UserError(
            f"commit: what is wanted of {commit} has {size:,} bytes, and {BYTES:,} are the most"
        )


def _literal(path: str) -> str:
    """Return a path as a pattern that matches nothing else."""
    return re.sub(r"[\\*?\[ ]", r"\\\g<0>", path)


def _limit() -> None:
    """Limit what a process and its children write to one file, unless the user allows less."""
    own, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if own == resource.RLIM_INFINITY or own > BYTES:
        resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, most))


def _git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it prints.

    Raises:
        UserError: if it fails, with the first line of its complaint.
    """
    settings = [word for key, value in CONFIG.items() for word in ("-c", f"{key}={value}")]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        process = subprocess.Popen(
            ["git", "-C", str(folder), *settings, *arguments],
            env=inherited | ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_limit,
        )
    except FileNotFoundError as error:
        raise UserError("git: not found; install git, or use photographs in a folder") from error
    with process:
        try:
            output, complaint = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired as error:
            raise UserError(f"git {arguments[0]}: not done after {SECONDS} s; stopped") from error
        finally:
            if process.poll() is None:  # it and the helpers that it started
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        if TOO_LARGE.search(complaint) or process.returncode == -signal.SIGXFSZ:
            raise UserError(f"git {arguments[0]}: more than {BYTES:,} bytes; stopped")
        lines = [line for line in complaint.splitlines() if not NOISE.match(line)]
        raise UserError(f"git {arguments[0]}: {lines[0] if lines else 'failed'}")
    return output
