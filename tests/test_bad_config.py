"""Configurations that nobody should write: each is taken, or refused in one line, and none crashes.

What is tried comes from the schema, so that a new key is tried too.
"""

import copy
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config
from test_config import merged

from pixelspace import config, keys
from pixelspace.errors import UserError

ROOT = Path(__file__).parent.parent
PAPER = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
TRANSFORMS = [{"jitter": 2}, {"roll": 3}]
ADDED = {
    "photos": "photos",
    "experiments": {
        "mnist": {"projections": {"maximization": {"transforms": TRANSFORMS}}},
        "meme": {"projections": {"class_maximization": {"units": 3}}},
    },
    "sweeps": {"grid": {"experiment": "efl", "grid": {"dataset.efl.noise": [0.1, 0.4]}}},
}
LOADED = config.load(merged(PAPER, ADDED))
VARIANT = {"extends": "efl", "projections": {"weights": None}, "network": {"perceptron": {}}}
POINTS = {"experiment": "efl", "points": [{"training.restarts.l1": 0.1}]}
WHOLE = merged(
    merged(LOADED.model_dump(mode="json"), ADDED),  # all keys; but a transform has one alone
    {"experiments": {"variant": VARIANT}, "sweeps": {"points": POINTS}},
)
del WHOLE["sweeps"]["grid"]["points"], WHOLE["sweeps"]["noise_and_starts"]

Place = tuple[str | int, ...]


def places(value, above: Place = ()) -> Iterator[Place]:
    """The paths of all keys of a configuration, and of the items of its lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, own in inner:
        yield (*above, key)
        if isinstance(own, dict | list):
            yield from places(own, (*above, key))


PLACES = list(places(WHOLE))


def changed(place: Place, value) -> dict:
    """An overlay that puts a value in a place; a list on the way is given as a whole."""
    lists = [n for n, key in enumerate(place) if isinstance(key, int)]
    if lists:
        *above, last = place[: lists[0]]
        whole = WHOLE
        for key in (*above, last):
            whole = whole[key]
        inner = whole = copy.deepcopy(whole)
        for key in place[lists[0] : -1]:
            inner = inner[key]
        inner[place[-1]] = value
        return changed((*above, last), whole)
    for key in reversed(place):
        value = {key: value}
    return value


def around(place: Place) -> dict:
    """The configuration without the experiments that a place is not in; it is checked faster."""
    if place[0] != "experiments" or len(place) == 1 or place[1] in ("efl", "variant"):
        kept = ("efl", "variant")
        return WHOLE | {"experiments": {name: WHOLE["experiments"][name] for name in kept}}
    return WHOLE | {"experiments": {place[1]: WHOLE["experiments"][place[1]]}, "sweeps": {}}


def sections(value) -> Iterator[type[BaseModel]]:
    """The models that a configuration is made of."""
    if isinstance(value, BaseModel):
        yield type(value)
        value = dict(value)
    inner = value.values() if isinstance(value, dict) else value
    for own in inner if isinstance(inner, list | type({}.values())) else ():
        yield from sections(own)


def defined(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for own in section.__subclasses__():
        yield own
        yield from defined(own)


def test_every_section_of_the_schema_is_tried():
    shared = {section for section in defined(config.Section) if section.__subclasses__()}
    assert set(defined(config.Section)) - shared <= set(sections(LOADED))


def test_what_is_changed_is_valid():
    assert config.load(WHOLE).sweeps.keys() == {"grid", "points"}


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Reads a text as an overlay, the way `make paper` does: checked, merged, and checked again."""
    folder = tmp_path_factory.mktemp("configuration")
    overlay = folder / "overlay.yaml"

    def reading(text: str | bytes, whole: dict = WHOLE) -> config.Config:
        overlay.write_bytes(text if isinstance(text, bytes) else text.encode())
        config.located([overlay])
        changed = copy.deepcopy(whole)
        update_config(changed, load_configfile(overlay))
        return config.load(changed, [overlay])

    return reading


def complaint(read, *given) -> str:
    """What is said of bad input, or nothing where it is taken; anything but a line is a failure."""
    try:
        assert isinstance(read(*given), config.Config)
    except UserError as error:
        line = str(error)
        assert line.isprintable()
        return line
    return ""


NASTY = [
    *(
        "",
        " ",
        "\n",
        "\t",
        "\0",
        "\x1b[2J",
        "\u2028",
        "\ufeff",
        "'",
        '"',
        "\\",
        "$(touch x)",
        "`x`",
    ),
    *("~", "~x/y", "/", "//", "..", "../..", "/dev/zero", "x" * 5000, "é", "犬", "🐩", "ﷺ"),
    *("-", "--help", "{wildcards}", "{0}", "%s", "{{ 7*7 }}", "((= 7 =))", "((* if *))"),
    *(r"\input{/etc/passwd}", r"\write18{x}", "$x$ & % # _ ^ ~", "^^5c", r"\end{document}"),
    *("<script>", "&amp;", "ext::sh -c x", "--upload-pack=x", "file:///etc", "https://a@b:c/"),
    *("null", "true", "1", "nan", "efl", "mnist", "logits", "E", "predicted", "0x10", "1e9"),
]
NUMBERS = [
    *(0, -1, 1, 2, 255, 10**6, 2**31 - 1, 2**31, 2**32, 2**63, 2**64, 10**30, -(10**30), 10**4000),
    *(0.0, -0.0, 0.5, 1.0, -0.5, 1e-320, 1e308, math.inf, -math.inf, math.nan, True, False, None),
]
SCALARS = st.one_of(
    st.sampled_from(NASTY),
    st.sampled_from(NUMBERS),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.dates(),
    st.binary(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NASTY) | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=6,
)
fuzzed = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


LINE = r"/\S+/overlay\.yaml:\d+: |(photos|experiments|sweeps)[.:]"
"""A key with its file and line; in `WHOLE`, which is in no file, the key alone."""


@settings(fuzzed, max_examples=400)
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_any_key_may_have_any_value(read, place, value):
    said = complaint(read, yaml.safe_dump(changed(place, value)), around(place))
    assert not said or re.match(LINE, said), said


@settings(fuzzed, max_examples=60)
@given(
    given_=st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=2, max_size=5),
)
def test_several_keys_may(read, given_):
    overlay: dict = {}
    for place, value in given_:
        overlay = merged(overlay, changed(place, value))
    complaint(read, yaml.safe_dump(overlay))


@settings(fuzzed, max_examples=60)
@given(place=st.sampled_from(PLACES), name=st.sampled_from(NASTY) | st.text() | st.integers())
def test_any_section_may_have_any_other_key(read, place, name):
    there = (*place[:-1], name) if isinstance(place[-1], str) else place
    said = complaint(read, yaml.safe_dump(changed(there, 1)), around(place))
    assert not said or re.match(LINE, said), said


@settings(fuzzed, max_examples=60)
@given(place=st.sampled_from(PLACES))
def test_any_key_may_be_missing(read, place):
    whole = copy.deepcopy(around(place))
    section = whole
    for key in place[:-1]:
        section = section[key]
    del section[place[-1]]
    complaint(read, "seed: 1", whole)


@settings(fuzzed, max_examples=100)
@given(VALUES)
def test_any_value_may_be_the_file(read, value):
    complaint(read, yaml.safe_dump(value))


@settings(fuzzed, max_examples=100)
@given(st.binary(max_size=60) | st.text(alphabet="ab:-?&*!|>'\"%@`{}[],#\n\t ~<0.", max_size=60))
def test_any_bytes_may_be_the_file(read, content):
    complaint(read, content)


@settings(fuzzed, max_examples=100)
@given(place=st.sampled_from(PLACES), value=st.sampled_from(NASTY) | st.text(max_size=20))
def test_any_value_may_come_from_the_command_line(place, value):
    given_ = changed(place, value)
    complaint(lambda: config.load(merged(WHOLE, given_), [], given_))


FOLDERS = {
    "mnist": lambda name: {"dataset": {"mnist": {"folder": name}}},
    "transfer": lambda name: {"training": {"transfer": {"weights": name}}},
    "folder": lambda name: {"dataset": {"source": "folder", "folder": {"path": name}}},
    "git": lambda name: {
        "dataset": {
            "source": "git",
            "git": dict.fromkeys(("repository", "commit", "images", "labels", "cache"), name)
            | {"class_names": {name: "one", 1: "two"}},
        }
    },
    "classes": lambda name: {
        "dataset": {
            "source": "git",
            "git": dict.fromkeys(("repository", "commit", "images", "labels"), "x")
            | {"class_names": {0: name, 1: "two"}},
        }
    },
}


@pytest.mark.parametrize("what", FOLDERS)
def test_any_file_and_class_may_have_any_name(read, what):
    experiment = "mnist" if what == "mnist" else "meme"
    for name in NASTY:
        overlay = {"experiments": {experiment: FOLDERS[what](name)}}
        complaint(read, yaml.safe_dump(overlay), around(("experiments", experiment)))


BOMB = "b0: &b0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{n + 1}: &b{n + 1} [{', '.join([f'*b{n}'] * 9)}]\n" for n in range(9)
)
NO_CONFIGURATION = {
    "list": (b"- a\n- b\n", "overlay.yaml: must be a mapping"),
    "scalar": (b"hello\n", "overlay.yaml: must be a mapping"),
    "null": (b"null\n", "overlay.yaml: must be a mapping"),
    "twice": (b"seed: 1\nseed: 2\n", "overlay.yaml:2: seed: this key stands here twice; .* line 1"),
    "twice inside": (
        b"figures: {screen_dpi: 99, screen_dpi: 98}",
        "1: figures.screen_dpi: .* twice",
    ),
    "twice in other words": (b"{1: a, 0x1: b}", "overlay.yaml:1: 1: .* twice"),
    "twice in JSON": (b'{"seed": 1, "seed": 2}', "overlay.yaml:1: seed: .* twice"),
    "tab": (b"figures:\n\tscreen_dpi: 100\n", r"overlay.yaml:2: not readable as YAML: .*'\\t'"),
    "unclosed": (b"seed: [1", "overlay.yaml:1: not readable as YAML"),
    "two documents": (b"seed: 1\n---\nseed: 2\n", "overlay.yaml:2: .* another document"),
    "unknown alias": (b"seed: *x\n", "overlay.yaml:1: .* undefined alias 'x'"),
    "billion laughs": (BOMB.encode(), "overlay.yaml:[0-9]+: too much to be meant"),
    "what contains itself": (b"experiments: &a {efl: *a}\n", "overlay.yaml:1: too much"),
    "deep": (b"a: " + b"[" * 3000, "overlay.yaml: too much"),
    "deeper than meant": (b"a: " + b"[" * 60 + b"]" * 60, "overlay.yaml:1: too much"),
    "large": (b"a: " + b"x" * keys.LARGEST, "overlay.yaml: too much"),
    "huge number": (b"seed: " + b"9" * 5000, "overlay.yaml:1: seed: .* limit"),
    "no such day": (b"seed: 2020-13-45", "overlay.yaml:1: seed: .*month must be in 1..12"),
    "list as a key": (b"? [a, b]\n: 1\n", "overlay.yaml:1: .*unhashable key"),
    "merging a number": (b"figures: {<<: [1]}", "overlay.yaml:1: .*merging"),
    "python object": (b"seed: !!python/object/apply:os.getpid []", "overlay.yaml:1: .*constructor"),
    "python name": (b"seed: !!python/name:os.system", "overlay.yaml:1: .*constructor"),
    "own tag": (b"seed: !mine 1", "overlay.yaml:1: .*constructor for the tag '!mine'"),
    "template": (b"__use_yte__: true\nseed: ?1+1\n", "overlay.yaml:1: __use_yte__: unknown key"),
    "key of Snakemake": (b"pathvars: {results: x}", "overlay.yaml:1: pathvars: unknown key"),
    "no text as a key": (b"yes: 1", "overlay.yaml:1: True: unknown key"),
    "null byte": (b"seed: 1\0\n", "overlay.yaml: not readable as YAML: .*x0000"),
    "Latin-1": (b"seed: 1 # caf\xe9\n", "overlay.yaml: not readable as YAML: .*utf-8"),
    "UTF-16": ("seed: 1\n".encode("utf-16"), "overlay.yaml: not readable as YAML: .*utf-8"),
    "lone surrogate": (b'photos: "\\ud800"', "overlay.yaml:1: photos: .*surrogates"),
    "binary": (b"photos: !!binary aGk=", "overlay.yaml:1: photos: should be a valid string"),
    "set": (b"experiments: !!set {a, b}", "overlay.yaml:1: experiments: should be"),
    "not a number": (b"seed: .nan", "overlay.yaml:1: seed: should be a valid integer"),
    "list of experiments": (b"experiments: [1]", "overlay.yaml:1: experiments: should be"),
}


@pytest.mark.parametrize("name", NO_CONFIGURATION)
def test_what_is_no_configuration_is_named_with_its_line(read, name):
    content, message = NO_CONFIGURATION[name]
    assert re.search(message, complaint(read, content))


@pytest.mark.parametrize("content", ["\ufeffseed: 7\n", "seed: &a 7\n", '{"seed": 7}', "seed: 0x7"])
def test_what_is_unusual_yaml_is_read(read, content):
    assert read(content).seed == 7


def test_more_networks_than_can_be_planned_are_refused(read):
    grid = {f"training.restarts.{key}": [1e-3 + n for n in range(300)] for key in ("l1", "x", "y")}
    assert "networks; at most 100,000 are planned" in complaint(
        read, yaml.safe_dump({"sweeps": {"grid": {"grid": grid}}})
    )


@pytest.mark.parametrize("name", ["twice", "template", "list of experiments"])
def test_snakemake_says_the_same_and_no_more(tmp_path, name):
    content, message = NO_CONFIGURATION[name]
    (tmp_path / "overlay.yaml").write_bytes(content)
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--configfile"]
    run = subprocess.run(
        [*command, tmp_path / "overlay.yaml"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode != 0
    *_, said = (run.stdout + run.stderr).splitlines()
    assert said.startswith(f"error: {tmp_path}/")
    assert re.search(message, said)
    assert "Traceback" not in run.stdout + run.stderr
