"""Nothing that a user names runs code or reads a file: it is printed as it stands, or refused."""

import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from cited import LEDGER
from jinja2 import nodes
from pypdf import PdfReader
from test_compare import BASE, made
from test_git import IMAGES, LABELS, arguments, complaint, picture, run_git
from test_report import compiled, needs_tex

from pixelspace import artifacts, config
from pixelspace.datasets import git
from pixelspace.errors import UserError
from pixelspace.keys import LATIN_END, can_be_typeset
from pixelspace.networks import weights
from pixelspace.report import claims, compare, template

ROOT = Path(__file__).parent.parent
CANARY = "canary3141"


@pytest.fixture
def marker(tmp_path) -> Path:
    """A file that is made if anything that is tried here is run."""
    yield tmp_path / "ran"
    assert not list(tmp_path.glob("ran*"))  # TeX writes it with an ending


@pytest.fixture
def secret(tmp_path) -> Path:
    (tmp_path / "secret.tex").write_text(CANARY)
    return tmp_path / "secret.tex"


# TeX and Jinja2


PREAMBLE = (ROOT / "report/paper.tex.j2").read_text(encoding="utf-8").split(r"\usepackage{micro")[0]
DOCUMENT = PREAMBLE + "\\pdftrailerid{}\\begin{document}\n%s\n\\end{document}"


def hostile(marker: Path, secret: Path) -> list[str]:
    return [
        rf"\input{{{secret}}}",
        rf"\immediate\write18{{touch {marker}}}",
        rf"\input{{|touch {marker}}}",
        rf"\newwrite\w\immediate\openout\w={marker}",
        rf"^^5cinput{{{secret}}}",
        r"\end{document}",
        r"\catcode`\%=12 }}}{{{ \fi \else \iffalse",
        '$x$ & 50% #1 a_b^c ~ <b> |d| "e" `f\' --g',
        "((= 7 * 7 =)) {{ 7 * 7 }}",
        f'((* include "{secret}" *))',
        "((= class_names.__class__.__mro__ =))",
    ]


@needs_tex
def test_what_a_user_names_is_typeset_as_it_stands(tmp_path, marker, secret):
    names = hostile(marker, secret)
    (tmp_path / "t.tex.j2").write_text(
        "((* for name in class_names.a *))\n((= name =))\n\n((* endfor *))\n"
        "((= setting('name') =))\n\n((= latin(setting('name')) =))\n\n((= differences('b') =))\n\n"
        "((= listing(class_names.a) =))\n\n((= plain(setting('names')) =))"
    )
    empty = {"projections": {}, "measures": {}}
    experiments = {"a": {"extends": None, "x": 1, **empty}}
    experiments["b"] = {"extends": "a", "x": names[1] + "\x07 犬", **empty}
    text = template.render(
        tmp_path / "t.tex.j2",
        numbers={},
        claims={},
        config={"experiments": experiments, "name": names[0], "names": names},
        class_names={"a": names},
        sweeps={},
        ledger=LEDGER,
        lock=ROOT / "requirements.txt",
    )
    pages = PdfReader(compiled(tmp_path / "built", DOCUMENT % text)).pages
    printed = re.sub(r"\s", "", "".join(page.extract_text() for page in pages))
    assert CANARY not in printed
    assert printed.count(re.sub(r"\s", "", names[0])) == 5
    assert "??" in printed  # for what the font lacks
    for name in names[:6]:
        assert re.sub(r"\s", "", name) in printed


ESCAPED = {"tex", "bare", "breakable", "plain"} | {
    name
    for name, method in vars(template.Cited).items()
    if getattr(method, "__annotations__", {}).get("return") is template.Tex
}


@pytest.mark.parametrize("file", sorted((ROOT / "report").rglob("*.tex.j2")), ids=lambda f: f.name)
def test_what_is_escaped_is_not_joined_to_more_and_escaped_again(file):
    parsed = template.environment(file.parent).parse(file.read_text(encoding="utf-8"))
    joined = [call for both in parsed.find_all(nodes.Concat) for call in both.find_all(nodes.Call)]
    assert "listing" in ESCAPED
    assert [call.lineno for call in joined if getattr(call.node, "name", "") in ESCAPED] == []


@needs_tex
def test_every_letter_that_is_let_through_is_typeset(tmp_path):
    letters = [chr(c) for c in range(ord(LATIN_END)) if can_be_typeset(chr(c))]
    text = "\n\n".join(f"x{template.escape(letter)}x" for letter in letters)
    assert compiled(tmp_path, DOCUMENT % text).is_file()


@needs_tex
@pytest.mark.parametrize(
    "tex",
    [
        r"\input{SECRET}",
        r"\input{../secret}",
        r"\newread\r\openin\r=SECRET \ifeof\r\else\read\r to\x\x\fi",
        r"\immediate\openout15=MARKER \immediate\write15{x}\immediate\closeout15",
        r"\immediate\openout15=../ran \immediate\write15{x}\immediate\closeout15",
        r"\immediate\write18{touch MARKER}",
        r"\input{|touch MARKER}",
        r"\pdfobj stream file {SECRET}\pdfrefobj\pdflastobj",
    ],
)
def test_tex_of_a_template_stays_in_its_folder(tmp_path, monkeypatch, marker, secret, tex):
    # TeX runs in a folder of its own, and what leads up leads to these two.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tex = tex.replace("SECRET", str(secret)).replace("MARKER", str(marker))
    try:
        pdf = compiled(tmp_path / "built", DOCUMENT % f"x {tex}")
    except UserError as error:
        assert str(error).isprintable()
    else:
        assert CANARY.encode() not in pdf.read_bytes()
        assert CANARY not in "".join(page.extract_text() for page in PdfReader(pdf).pages)


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__.__mro__",
        "setting.__func__.__globals__",
        "cycler.__init__.__globals__.os.system('touch ran')",
        "class_names.update({'a': 1})",
        "'{0.__class__}'.format(1) ~ undefined",
    ],
)
def test_a_template_reaches_nothing_but_what_it_is_given(tmp_path, monkeypatch, marker, expression):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.tex.j2").write_text(f"((= {expression} =))")
    given = {name: {} for name in ("numbers", "claims", "class_names", "sweeps")}
    with pytest.raises(UserError) as caught:
        template.render(
            tmp_path / "t.tex.j2",
            config={"experiments": {}},
            ledger=LEDGER,
            lock=ROOT / "requirements.txt",
            **given,
        )
    assert str(caught.value).isprintable()


# HTML


def test_the_page_of_differences_runs_nothing(tmp_path):
    bad = "'\"><img src=x onerror=alert(1)>{{ 7 * 7 }}"
    name = bad.replace("/", "")
    experiments = {name: {"projections": {}, "measures": {}}}
    changes = {
        "config": {bad: bad, "javascript:alert(1)": 1, "experiments": experiments},
        "numbers": {bad: 2},
        "claims": {bad: (True, bad)},
        "figures": {f"{name}-samples": (3, bad)},
    }
    a, b = made(tmp_path / "a"), made(tmp_path / bad, **BASE | changes)
    page = compare.page(
        compare.compare(compare.read(a), compare.read(b)), ROOT / "report/compare.html.j2"
    )
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "{{ 7 * 7 }}" in page
    assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', page))


# YAML


@pytest.mark.parametrize(
    "text",
    [
        "__use_yte__: true\nresults: ?__import__('pathlib').Path('ran').touch()\n",
        "__use_yte__: true\n__definitions__: [\"open('ran', 'w')\"]\n",
        "results: !!python/object/apply:os.system ['touch ran']\n",
        "results: !!python/object/new:os.system ['touch ran']\n",
        "results: !!python/name:os.system\n",
    ],
)
def test_a_configuration_is_data(tmp_path, marker, text):
    (tmp_path / "mine.yaml").write_text(text)
    run = subprocess.run(
        [sys.executable, ROOT / "tools/read_config.py", "mine.yaml"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert re.match(r"error: mine.yaml:1: .*(unknown key|not readable as YAML)", line)


@pytest.mark.parametrize("tag", ["object/apply:os.system [touch ran]", "name:os.system"])
def test_values_of_the_command_line_and_claims_are_data(tmp_path, monkeypatch, marker, tag):
    monkeypatch.chdir(tmp_path)
    given = {"experiments": {"a": f"!!python/{tag}"}}
    with pytest.raises(UserError, match="^--config: experiments.a: not readable as YAML"):
        config.load(given, [], given)
    (tmp_path / "claims.yaml").write_text(f"a: !!python/{tag}\n")
    with pytest.raises(UserError, match="claims.yaml:1: .*not readable as YAML"):
        claims.load("claims.yaml")


# The shell


def test_what_is_named_on_the_command_line_is_no_command(tmp_path):
    """Snakemake hands it on to each job's process; this one keeps the configuration."""
    for name in ("Snakefile", "config", "profiles", "report", "scripts", "src", "workflow"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("data", "requirements.txt", "CITATION.cff", "LICENSE", "LICENSE-CC-BY-4.0"):
        (tmp_path / name).symlink_to(ROOT / name)
    overlay = tmp_path / "$(touch ran);touch ran 'a' \"b\" `touch ran`.yaml"
    overlay.write_text("results: results-safe\n")
    command = [sys.executable, "-m", "snakemake", "results-safe/config.json", "--cores", "1"]
    photos = "$(touch ran); touch ran; 'touch ran' `touch ran`"
    run = subprocess.run(
        [*command, "--configfile", overlay, "--config", f"photos={photos}"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "results-safe/config.json").is_file()
    assert not list(tmp_path.rglob("ran"))


# make and the shell


@pytest.fixture
def made_up(tmp_path) -> Path:
    """A folder with the Makefile, where what it runs only prints what it is given."""
    for name in ("Makefile", "src", "tools/read_config.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(ROOT / name)
    checks = f'[ "$1" != tools/read_config.py ] || exec {sys.executable} "$@"\n'
    prints = "printf '%s|' \"$@\""
    programs = {"python": checks + prints, "pytest": prints}
    for name, script in {"../../tools/setup": "", **programs}.items():
        path = tmp_path / ".venv/bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return tmp_path


def run_make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )


RUNS = "$(shell touch ran)$(touch ran)\";touch ran;\"';touch ran;'`touch ran`pho$tos"
HANDED_ON = {
    "CONFIG": ["paper", "why", "watch", "diff"],
    "PHOTOS": ["paper", "why", "watch", "diff", "bench-memory"],
    "CORES": ["paper", "watch", "diff"],
    "RESULTS": ["verify", "reference"],
    "TARGET": ["why"],
    "A": ["compare"],
    "B": ["compare"],
    "REV": ["diff"],
    "LIKE": ["reference"],
    "TESTS": ["test"],
}
LISTS = ("LIKE", "TESTS")


@pytest.mark.parametrize("way", ["argument", "environment"])
@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for name in HANDED_ON for target in HANDED_ON[name]]
)
def test_make_hands_on_what_is_given_as_it_is_written(made_up, marker, name, target, way):
    (made_up / RUNS).write_text("seed: 1\n")
    named = [f"{name}={RUNS}"] if way == "argument" else []
    environment = {name: RUNS} if way == "environment" else {}
    run = run_make(made_up, target, *named, **environment)
    assert run.returncode == 0, run.stderr
    assert ("|".join(RUNS.split()) if name in LISTS else RUNS) in run.stdout
    assert run_make(made_up, "-n", target, *named, **environment).returncode == 0


@pytest.mark.parametrize(
    ("name", "target"),
    [("GPU", "paper"), ("PYTHON", "paper"), ("UV", "lock"), ("RESULTS", "readers")],
)
def test_make_runs_nothing_that_is_named(made_up, marker, name, target):
    for flags in ([], ["-n"]):
        run_make(made_up, *flags, target, f"{name}={RUNS}")
        run_make(made_up, *flags, target, **{name: RUNS})


def targets_with_an_overlay() -> list[str]:
    recipes = re.findall(
        r"^([\w -]+):.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M
    )
    return [t for names, recipe in recipes if "$(OVERLAY)" in recipe for t in names.split()]


@pytest.mark.parametrize("target", [*targets_with_an_overlay(), "diff"])
def test_make_looks_at_a_configuration_before_snakemake_does(made_up, marker, target):
    (made_up / "evil.yaml").write_text(f"__use_yte__: true\nresults: ?open('{marker}', 'w')\n")
    (made_up / "latin.yaml").write_bytes(b"results: caf\xe9\n")
    for name in ("evil.yaml", "latin.yaml", "missing.yaml"):
        run = run_make(made_up, target, f"CONFIG={name}")
        line, ends = run.stderr.splitlines()
        assert re.match(rf"error: (CONFIG=)?{name}:", line)
        assert ends.startswith("make: ***")
        assert run.stdout == ""


# Arrays and weights


class Touch:
    """Makes a file where a pickle of it is loaded."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_arrays_and_weights_are_never_pickles(tmp_path, marker):
    with artifacts.written(tmp_path / "p.npz") as file:
        np.savez(file, about=np.array("{}"), x=np.array([Touch(marker)], object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        artifacts.read_projection(tmp_path / "p.npz")
    with pytest.raises(UserError, match="altered"):
        weights.load_imagenet(None, tmp_path / "p.npz")


DANGEROUS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load"),
    *("pickle.loads", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "marshal.loads"),
    *("keras.models.load_model", "keras.saving.load_model", "jinja2.Environment"),
    *("Environment", "load_model", "torch.load", "joblib.load"),
}


@pytest.mark.parametrize("folder", ["src", "scripts", "workflow"])
def test_the_product_calls_nothing_that_runs_data(folder):
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in DANGEROUS, f"{file}:{node.lineno}"
                for keyword in node.keywords:
                    truth = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                    assert not (keyword.arg in ("shell", "allow_pickle") and truth), file


# Git


def tree_of(source: Path, entries: dict[str, tuple[str, bytes]]) -> str:
    """A tree with entries that git would not add, by name: the mode and the content."""
    lines = b""
    for name, (mode, content) in entries.items():
        (source / "content").write_bytes(content)
        kind = {"40000": "tree", "160000": "commit"}.get(mode, "blob")
        found = (
            content.decode() if kind != "blob" else run_git(source, "hash-object", "-w", "content")
        )
        lines += f"{mode} {name}\0".encode() + bytes.fromhex(found)
    (source / "content").write_bytes(lines)
    return run_git(source, "hash-object", "-t", "tree", "-w", "--literally", "content")


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "a/../../ran", "/ran", "."])
def test_a_repository_writes_nothing_outside_its_folder(tmp_path, name):
    """Its images hold a folder of a name that leads away, with a hook in it."""
    source, cache = tmp_path / "source", tmp_path / "cache"
    source.mkdir()
    run_git(source, "init", "-q")
    hook = f"#!/bin/sh\ntouch {tmp_path}/ran\n".encode()
    hooks = tree_of(source, {"post-checkout": ("100755", hook), "ran": ("100644", b"x")})
    inner = tree_of(source, {"hooks": ("40000", hooks.encode()), "ran": ("100644", b"x")})
    images = tree_of(source, {name: ("40000", inner.encode()), "1.jpg": ("100644", b"x")})
    root = tree_of(source, {"images": ("40000", images.encode()), "l.csv": ("100644", b"1,0\n")})
    commit = run_git(source, "commit-tree", root, "-m", "x")
    run_git(source, "update-ref", "HEAD", commit)
    before = {path for path in tmp_path.rglob("*") if source not in path.parents}
    said = complaint(source, cache, commit=commit, images="images", labels="l.csv")
    assert "git " in said or "no folder" in said
    after = {path for path in tmp_path.rglob("*") if source not in path.parents}
    assert after - before <= {cache}


def test_a_repository_sends_nobody_elsewhere(tmp_path):
    source = tmp_path / "source"
    (source / IMAGES).mkdir(parents=True)
    run_git(source, "init", "-q")
    for number in range(1, 5):
        picture(number).save(source / IMAGES / f"{number}.jpg")
    (source / LABELS).write_text("1,0\n2,0\n3,1\n4,1\n")
    (source / ".gitmodules").write_text(
        f'[submodule "x"]\n\tpath = {IMAGES}/x\n\turl = ext::touch {tmp_path}/ran\n'
    )
    (source / ".lfsconfig").write_text(f"[lfs]\n\turl = file://{tmp_path}/elsewhere\n")
    (source / ".gitattributes").write_text("*.jpg filter=lfs diff=lfs merge=lfs\n")
    run_git(source, "add", ".")
    run_git(source, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{IMAGES}/x")
    run_git(source, "commit", "-qm", "x")
    checkout = git.checkout(**arguments(source, tmp_path / "cache"))
    assert not (tmp_path / "ran").exists()
    assert (checkout / IMAGES / "1.jpg").read_bytes() == (source / IMAGES / "1.jpg").read_bytes()


@pytest.mark.parametrize(
    "path", ["--upload-pack=touch ran", "-o", ":(top)x", ":!x", "$(touch ran)", "*"]
)
def test_paths_in_a_repository_are_no_options_or_patterns(tmp_path, monkeypatch, marker, path):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    (source / IMAGES).mkdir(parents=True)
    (source / IMAGES / "1.jpg").write_bytes(b"x")
    (source / LABELS).write_text("1,0\n")
    run_git(source, "init", "-q")
    run_git(source, "add", ".")
    run_git(source, "commit", "-qm", "x")
    assert "no folder" in complaint(source, tmp_path / "cache", images=path)
    assert "no file" in complaint(source, tmp_path / "cache", labels=path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (os.urandom(300_000), "more than 100,000 bytes; stopped"),
        (bytes(300_000), "has 300,004 bytes, and 100,000 are the most"),
    ],
    ids=["pack", "files"],
)
def test_more_than_is_meant_is_not_fetched(tmp_path, monkeypatch, content, says):
    source = tmp_path / "source"
    (source / IMAGES).mkdir(parents=True)
    (source / IMAGES / "1.jpg").write_bytes(content)
    (source / LABELS).write_text("1,0\n")
    run_git(source, "init", "-q")
    run_git(source, "add", ".")
    run_git(source, "commit", "-qm", "x")
    monkeypatch.setattr(git, "BYTES", 100_000)
    assert complaint(source, tmp_path / "cache").endswith(says)
