"""A build against the reference: what is the same, what is near enough, and what is not."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_compare import BASE, made

from pixelspace import artifacts, machine
from pixelspace.errors import UserError
from pixelspace.report import reference
from pixelspace.report.reference import Reference, Verdict

ROOT = Path(__file__).parents[1]
MACHINE = {"processor": "A", "cores": 2, "packages": {"numpy": "2.4.6"}, "isa": "AVX2"}
PROJECTION = "efl/0/projections/weights.npz"


TEX = r"""% from paper.tex.j2
A paper of 2026.
% from sections/end.tex.j2
It is \ledgermark{1,2}{\ensuremath{0.50}} of them all.
\claimed{1}{It is \ensuremath{99.0}\,\%.\ledgermark{3}{}} So we say.

% end
Of 1 claim none fails: \texttt{5b743fd5ad7e}, and of twelve fail C1, C2 and C3.
% end
"""


def built(folder: Path, seen=0.0, of=MACHINE, tex=TEX, **changes) -> Path:
    """A small finished build; a projection of it has one value, and no number is of that."""
    made(folder, **changes)
    artifacts.write_text(folder / "paper.tex", tex)
    arrays = {"image": np.full((2, 2), seen)}
    artifacts.write_projection(folder / PROJECTION, artifacts.Projection(arrays, {}))
    artifacts.write_json(folder / "points/ab12.json", {"test_accuracy": seen})
    if of:
        artifacts.write_json(folder / machine.RECORD, of)
    return folder


def known(tmp_path: Path, *like: Path) -> Reference:
    """The reference that is made of the small build, by way of its file."""
    finished = reference.read(built(tmp_path / "reference"))
    made_of = reference.of(finished, like=[reference.read(folder) for folder in like])
    file = tmp_path / "reference.json"
    file.write_text(reference.dump(made_of), encoding="utf-8")
    assert reference.load(file) == made_of
    return made_of


def judged(tmp_path: Path, **changes) -> Verdict:
    """The verdict of the reference on a build with changes."""
    return reference.compare(known(tmp_path), reference.read(built(tmp_path / "b", **changes)))


def names(deviations) -> list[str]:
    return [one.name for one in deviations]


def test_the_same_bytes_are_the_same_paper(tmp_path):
    verdict = judged(tmp_path)
    assert verdict.passed
    assert verdict.files.differ == ()
    assert PROJECTION in verdict.files.alike
    lines = reference.report(verdict)
    assert lines[-2] == "machine: as the reference's"
    assert lines[-1] == f"{tmp_path / 'b'}: the paper of the reference, byte for byte"
    table = {line.split("   ")[0]: line.split()[1:] for line in lines[1:-3]}
    assert table["projections"] == ["1", "0"]
    assert table["drawings"] == ["3", "0"]
    assert table["texts"] == ["5", "0"]
    assert table["numbers"] == ["3", "0", "0"]
    assert table["claims"] == ["1", "0", "0"]
    assert table["words"] == ["4", "0"]


def test_what_is_known_of_networks_and_the_machine_is_no_artifact(tmp_path):
    files = known(tmp_path).files
    assert not [name for name in files if name.startswith(("points", "machine"))]
    assert files["numbers.json"] == artifacts.file_hash(tmp_path / "reference/numbers.json")


def test_an_artifact_with_other_bytes_is_judged_by_what_came_of_it(tmp_path):
    verdict = judged(tmp_path, seen=1.0)
    assert verdict.passed
    assert verdict.files.differ == (PROJECTION,)
    lines = reference.report(verdict)
    assert [line.split() for line in lines if "projections" in line] == [["projections", "0", "1"]]
    assert lines[-1].endswith("the paper of the reference, within tolerance")


@pytest.mark.parametrize(
    ("number", "within"),
    [
        ({"accuracy": 0.5 + 0.009}, True),
        ({"accuracy": 0.5 - 0.009}, True),
        ({"accuracy": 0.5 + 0.011}, False),
        ({"accuracy": 0.5 - 0.011}, False),
        ({"errors": 1}, True),
        ({"errors": 2}, False),
    ],
)
def test_a_number_is_within_its_tolerance_or_not(tmp_path, number, within):
    verdict = judged(tmp_path, numbers=BASE["numbers"] | number)
    assert verdict.passed == within
    assert verdict.numbers.same == 2
    assert names(verdict.numbers.within if within else verdict.numbers.outside) == [*number]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (BASE["numbers"] | {"more": 1.0}, "more: absent → 1"),
        ({"accuracy": 0.5, "errors": 0}, "share: 0.25 → absent"),
        (BASE["numbers"] | {"share": 0.5}, "share: 0.25 → 0.5, off by 0.25 where 0.01 may be"),
    ],
)
def test_what_is_off_is_said(tmp_path, numbers, said):
    verdict = judged(tmp_path, numbers=numbers)
    lines = reference.report(verdict)
    assert not verdict.passed
    assert lines[lines.index("numbers that are off: 1") + 1] == f"    {said}"
    assert lines[-1] == f"{tmp_path / 'b'}: not the paper of the reference"


def test_the_furthest_beyond_its_tolerance_stands_first(tmp_path):
    verdict = judged(tmp_path, numbers={"accuracy": 0.6, "errors": 0, "share": 0.45})
    assert names(verdict.numbers.outside) == ["share", "accuracy"]


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"works": (False, r"It is \ensuremath{9}\,\%.")}, "works: holds → fails  It is 9 %."),
        ({}, "works: holds → absent"),
        (BASE["claims"] | {"new": (True, "New.")}, "new: absent → holds  New."),
    ],
)
def test_a_claim_with_another_verdict_is_said(tmp_path, claims, said):
    verdict = judged(tmp_path, claims=claims)
    assert not verdict.passed
    assert verdict.same_claims == ("new" in claims)
    assert f"    {said}" in reference.report(verdict)


def test_a_claim_with_another_number_and_the_same_verdict_is_the_same(tmp_path):
    verdict = judged(tmp_path, claims={"works": (True, r"It is \ensuremath{98.0}\,\%.")})
    assert verdict.passed
    assert verdict.same_claims == 1


def test_a_claim_whose_number_goes_past_its_bound_in_other_builds_is_undecided(tmp_path):
    past = {"numbers": BASE["numbers"] | {"share": -0.1}, "claims": {"works": (False, "No.")}}
    like = built(tmp_path / "like", **past)
    of = known(tmp_path, like)
    assert of.claims == {"works": None}
    verdict = reference.compare(of, reference.read(like))
    assert verdict.passed
    assert verdict.undecided == ("works",)
    lines = reference.report(verdict)
    assert lines[lines.index("claims that are undecided, near their bounds: 1") + 1] == "    works"
    gone = reference.compare(of, reference.read(built(tmp_path / "gone", claims={})))
    assert not gone.passed


@pytest.mark.parametrize(("grey", "near"), [(5, True), (6, False), (255, False)])
def test_a_picture_is_near_or_far(tmp_path, grey, near):
    """5 of 255 levels are 0.0196, and 6 are 0.0235."""
    verdict = judged(tmp_path, figures={"efl-samples": (grey, "Some letters.")})
    assert verdict.passed == near
    (one,) = verdict.figures.within if near else verdict.figures.outside
    assert one.off == pytest.approx(grey / 255)
    assert ("figures that are off: 1" in reference.report(verdict)) != near


def test_a_blank_page_is_no_figure_however_far_a_picture_may_be_off(tmp_path):
    thin = {"efl-samples": (230, "Some letters.")}  # a tenth of a blank page away from it
    other, blank = ({"efl-samples": (grey, "Some letters.")} for grey in (205, 255))
    finished = reference.read(built(tmp_path / "thin", figures=thin))
    like = reference.read(built(tmp_path / "like", figures=other))
    of = reference.of(finished, like=[like])
    assert of.figures["efl-samples"].tolerance > 25 / 255
    assert reference.compare(of, like).passed
    white = reference.compare(of, reference.read(built(tmp_path / "white", figures=blank)))
    assert names(white.figures.outside) == ["efl-samples"]


def test_a_figure_whose_picture_has_the_same_bytes_is_the_same(tmp_path):
    verdict = judged(tmp_path, figures={"efl-samples": (0, "Some letters")})
    assert verdict.figures.same == 1
    assert verdict.files.differ == ("figures/efl-samples.txt",)


def test_a_thumbnail_has_means_computed_by_hand(tmp_path):
    side = reference.SIDE
    image = np.zeros((2 * side, 4 * side, 3), np.uint8)
    image[0, :4] = 200, 100, 40  # half of what the first value covers
    Image.fromarray(image).save(tmp_path / "a.png")
    pixels = reference.thumbnail(tmp_path / "a.png")
    values = np.frombuffer(pixels, np.uint8).reshape(side, side, 3)
    assert values[0, 0].tolist() == [100, 50, 20]
    assert values.sum() == 170
    black = bytes(len(pixels))
    assert reference.distance(black, bytes([255]) * len(pixels)) == 1
    expected = np.sqrt((100**2 + 50**2 + 20**2) / len(pixels)) / 255
    assert reference.distance(pixels, black) == pytest.approx(expected)


def test_files_that_only_the_build_has_are_named_and_not_judged(tmp_path):
    verdict = judged(tmp_path, figures=BASE["figures"] | {"further": (0, "Further.")})
    assert verdict.passed
    lines = reference.report(verdict)
    assert "files that the reference does not have, not judged: 3" in lines
    assert "    figures/further.png" in lines


def test_where_the_machine_differs_is_said_and_changes_no_verdict(tmp_path):
    verdict = judged(tmp_path, of=MACHINE | {"processor": "B", "packages": {"numpy": "2.5"}})
    assert verdict.passed
    lines = reference.report(verdict)
    at = lines.index("machine: not the reference's")
    assert lines[at + 1 : at + 3] == [
        '    packages.numpy: "2.4.6" → "2.5"',
        '    processor: "A" → "B"',
    ]


def test_a_machine_that_is_not_known_is_not_compared(tmp_path):
    assert "machine: not recorded" in reference.report(judged(tmp_path, of=None))


# Words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026", "2027"),
        (r"\ledgermark{1,2}{\ensuremath{0.50}}", r"\ledgermark{3}{\ensuremath{-1{,}200.5}\,\%}"),
        (r"\ledgermark{1,2}{\ensuremath{0.50}}", r"\ledgermark{1}{three}"),
        (r"It is \ensuremath{99.0}\,\%.\led", r"Of the claims the verdict is judged.\led"),
        ("5b743fd5ad7e", "000000000000"),
        ("twelve fail C1, C2 and", "two fail C1, C12, C14 and"),
    ],
)
def test_numbers_in_a_text_are_not_judged_as_words(tmp_path, old, new):
    assert old in TEX
    assert judged(tmp_path, tex=TEX.replace(old, new)).passed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"tex": TEX.replace("So we say.\n", "So we say.\nThe moon is made of 2 cheeses.\n")},
            ["sections/end.tex.j2: The moon is made of # cheeses."],
        ),
        (
            {"tex": TEX.replace("of them all", "of none")},
            [
                "sections/end.tex.j2: It is # of none.",
                "sections/end.tex.j2: 1 phrase of the reference gone",
            ],
        ),
        (
            {"tex": TEX.replace("A paper of 2026.\n", "")},
            ["paper.tex.j2: 1 phrase of the reference gone"],
        ),
        (
            {"tex": f"{TEX}% from sections/more.tex.j2\nMore.\n% end\n"},
            ["sections/more.tex.j2: More."],
        ),
        (
            {"figures": {"efl-samples": (0, "Some numbers.")}},
            [
                "figures/efl-samples.txt: Some numbers.",
                "figures/efl-samples.txt: 1 phrase of the reference gone",
            ],
        ),
        (
            {"claims": {"works": (True, "It is as it is.")}},
            ["claims.json: It is as it is.", "claims.json: 1 phrase of the reference gone"],
        ),
    ],
    ids=["added", "other", "gone", "a section", "a figure", "a claim"],
)
def test_other_words_are_another_paper(tmp_path, changes, said):
    verdict = judged(tmp_path, **changes)
    assert not verdict.passed
    lines = reference.report(verdict)
    at = lines.index(f"texts with other words: {len(said)}")
    assert lines[at + 1 : at + 1 + len(said)] == [f"    {line}" for line in said]


def test_a_reference_without_words_says_that_it_judges_none(tmp_path):
    old = dataclasses.replace(known(tmp_path), texts={})
    verdict = reference.compare(old, reference.read(built(tmp_path / "b", tex="Other words.")))
    assert verdict.passed
    assert "words: not judged, not in the reference" in reference.report(verdict)


def test_words_that_follow_from_numbers_may_be_those_of_another_build(tmp_path):
    other = {
        "tex": TEX.replace("of them all", "of none"),
        "figures": {"efl-samples": (0, "A, c, d.")},
    }
    text = known(tmp_path, built(tmp_path / "other", **other))
    assert reference.compare(text, reference.read(built(tmp_path / "again", **other))).passed
    new = reference.read(built(tmp_path / "new", tex=TEX.replace("of them all", "of some")))
    assert [said.new for said in reference.compare(text, new).texts] == [("It is # of some.",)]
    renewed = reference.of(reference.read(tmp_path / "reference"), before=text)
    assert renewed.texts == text.texts


# Tolerances -----------------------------------------------------------------------------------


def test_a_tolerance_is_a_multiple_of_the_largest_deviation_of_other_builds(tmp_path):
    likes = (
        built(tmp_path / "one", numbers={"accuracy": 0.52, "errors": 2, "share": 0.25}),
        built(tmp_path / "two", numbers={"accuracy": 0.45, "errors": 1, "share": 0.25}),
    )
    found = known(tmp_path, *likes)
    numbers = found.numbers
    assert numbers["accuracy"] == (0.5, 0.25)
    assert numbers["errors"] == (0, 10)
    assert numbers["share"] == (0.25, 0.01)
    lines = reference.report(reference.compare(found, reference.read(likes[0])))
    assert "numbers so far off in other builds that 0 is within their tolerance: 1" in lines


def test_numbers_of_one_artifact_that_are_named_alike_may_be_off_alike():
    values = {
        "x.accuracy_of_a": 0.5,
        "x.accuracy_of_b": 0.5,
        "x.correlation": 0.5,
        "y.accuracy": 0.5,
    }
    sources = dict.fromkeys(values, "measures.json") | {"y.accuracy": "others.json"}
    others = [values | {"x.accuracy_of_a": 0.54, "x.correlation": -0.5}]
    # The root mean square of 0.04 and 0 is 0.0283.
    assert reference.tolerances(values, others, sources) == {
        "x.accuracy_of_a": 0.2,
        "x.accuracy_of_b": 0.14,
        "x.correlation": 5.0,
        "y.accuracy": 0.01,
    }


def test_numbers_of_a_data_set_may_be_off_by_rounding_alone():
    values = {"mean": 0.5, "count": 7, "large": -200.0, "moved": 0.5}
    sources = dict.fromkeys(values, "efl/dataset.h5")
    found = reference.tolerances(values, [values | {"moved": 0.5001}], sources)
    assert found == {"mean": 1e-6, "count": 0, "large": 2e-4, "moved": 0.01}
    other = reference.tolerances(values, [values], dict.fromkeys(values, "efl/0/training.json"))
    assert other == {"mean": 0.01, "count": 1, "large": 2, "moved": 0.01}


def test_counts_that_move_alone_have_no_share_in_other_numbers():
    found = reference.tolerances({"a": 3, "b": 5}, [{"a": 3, "b": 7}], {"a": "x", "b": "x"})
    assert found == {"a": 1, "b": 10}


def test_a_large_number_may_be_off_by_a_share_of_it():
    assert reference.near(-200.0) == 2
    assert reference.near(0.001) == 0.01
    assert reference.near(200) == 1
    numbers = {"large": 10.0, "small": 0.1}
    found = reference.tolerances(
        numbers, [{"large": 11.0, "small": 0.2}], dict.fromkeys(numbers, "")
    )
    assert found == {"large": 5, "small": 0.5}


def test_pictures_may_be_a_few_times_as_far_as_those_of_other_builds(tmp_path):
    other = built(tmp_path / "one", figures={"efl-samples": (51, "Some letters.")})
    assert known(tmp_path, other).figures["efl-samples"].tolerance == 0.4
    finished, same = (reference.read(built(tmp_path / name)) for name in ("own", "same"))
    near = reference.of(finished, like=[same])
    assert near.figures["efl-samples"].tolerance == reference.PICTURE_NEAR


def test_tolerances_stay_where_no_other_build_is_named(tmp_path):
    numbers, figures = (
        {"accuracy": 0.6, "errors": 1, "share": 0.25},
        {"efl-samples": (51, "Letters.")},
    )
    other = built(tmp_path / "one", numbers=numbers, figures=figures)
    before = known(tmp_path, other)
    new = built(tmp_path / "new", numbers={"accuracy": 0.7, "errors": 0, "more": 0.5})
    renewed = reference.of(reference.read(new), before=before)
    assert renewed.numbers == {"accuracy": (0.7, 0.5), "errors": (0, 5), "more": (0.5, 0.01)}
    assert isinstance(renewed.numbers["errors"].value, int)
    assert renewed.figures["efl-samples"].tolerance == 0.4


def test_builds_held_out_are_judged_by_the_others(tmp_path):
    finished = reference.read(built(tmp_path / "reference"))
    likes = [
        reference.read(built(tmp_path / name, numbers=BASE["numbers"] | {"accuracy": accuracy}))
        for name, accuracy in (("one", 0.52), ("two", 0.54), ("far", 0.9))
    ]
    verdicts = list(reference.held_out(finished, likes))
    assert [names(verdict.numbers.outside) for verdict in verdicts] == [[], [], ["accuracy"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config": BASE["config"] | {"seed": 2}}, "of another configuration"),
        ({"numbers": {"accuracy": 0.5}}, "it has not the same numbers"),
        ({"figures": {}}, "not complete, it lacks figures/efl-samples.pdf and 2 others"),
        ({"of": MACHINE | {"commit": "b"}}, "built from another commit (a and b)"),
    ],
)
def test_tolerances_come_of_builds_of_the_same_paper(tmp_path, changes, message):
    finished = reference.read(built(tmp_path / "a", of=MACHINE | {"commit": "a"}))
    other = reference.read(built(tmp_path / "b", **changes))
    with pytest.raises(UserError) as error:
        reference.of(finished, like=[other])
    assert str(error.value).startswith(f"{tmp_path / 'b'}: ")
    assert message in str(error.value)


# The file and the tool ------------------------------------------------------------------------


def run(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "tools/verify.py", *arguments]
    environment = {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_reference_has_a_line_for_each_entry(tmp_path):
    known(tmp_path)
    lines = (tmp_path / "reference.json").read_text(encoding="utf-8").splitlines()
    assert ' "accuracy": [0.5, 0.01],' in lines
    assert ' "works": true' in lines
    assert (
        f' "{PROJECTION}": "{artifacts.file_hash(tmp_path / "reference" / PROJECTION)}",' in lines
    )
    assert json.loads("\n".join(lines))["numbers"]["errors"] == [0, 1.0]


def test_the_tool_makes_a_reference_and_holds_builds_against_it(tmp_path):
    own = built(tmp_path / "own")
    file = ("--file", tmp_path / "reference.json")
    renewed = run(*file, "renew", own)
    assert renewed.returncode == 0, renewed.stderr
    assert "9 files, 3 numbers, 1 figure and 1 claim of" in renewed.stdout
    assert "0 tolerances stay; 4 are new" in renewed.stdout
    assert "4 tolerances stay; 0 are new" in run(*file, "renew", own).stdout
    assert run(*file, "check", own).returncode == 0
    other = run(*file, "check", built(tmp_path / "other", numbers={"accuracy": 0.9}))
    assert other.returncode == 1
    assert "accuracy: 0.5 → 0.9" in other.stdout
    assert other.stderr == ""


def test_the_tool_says_how_other_builds_fare(tmp_path):
    own, one = built(tmp_path / "own"), built(tmp_path / "one", numbers=BASE["numbers"])
    flipped = built(tmp_path / "flipped", claims={"works": (False, "No.")})
    file = ("--file", tmp_path / "reference.json")
    assert run(*file, "renew", own, "--like", one).returncode == 0
    done = run(*file, "renew", own, "--like", one, flipped)
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if f"{flipped} has" in line]
    assert len(lines) == 2
    assert all(line.endswith("0 numbers, 0 figures and 1 claim outside") for line in lines)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda b, file: file.unlink(), "there is no reference; `make reference` makes one"),
        (lambda b, file: file.write_text("{"), "reference.json: Invalid JSON"),
        (
            lambda b, file: file.write_text(file.read_text().replace("0.01]", '"x"]')),
            "reference.json: numbers: accuracy: 1: Input should be a valid number",
        ),
        (
            lambda b, file: file.write_text(file.read_text().replace("AAAA", "", 1)),
            "reference.json: figures: efl-samples: 1: Value should have at least 1728",
        ),
        (lambda b, file: b.rename(b.with_name("c")), "b: there is no such folder"),
        (lambda b, file: (b / "config.json").unlink(), "b: not a complete folder of results"),
        (lambda b, file: (b / PROJECTION).unlink(), f"b: not complete, it lacks {PROJECTION};"),
        (lambda b, file: (b / "paper.pdf").unlink(), "b: not complete, it lacks paper.pdf;"),
        (lambda b, file: (b / PROJECTION).write_bytes(b""), "changed since it was built"),
        (
            lambda b, file: artifacts.write_json(b / "config.json", {"seed": 2, "experiments": {}}),
            "than the reference, 3 keys differ: experiments.efl.epochs: 5 → absent, ",
        ),
        (
            lambda b, file: artifacts.write_json(b / "config.json", BASE["config"] | {"seed": 2}),
            "b: of another configuration than the reference, 1 key differs: seed: 1 → 2\n",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_line(tmp_path, spoil, message):
    known(tmp_path)
    b, file = built(tmp_path / "b"), tmp_path / "reference.json"
    spoil(b, file)
    done = run("--file", file, "check", b)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_reference_that_cannot_be_written_is_one_line(tmp_path):
    done = run("--file", tmp_path / "nowhere/reference.json", "renew", built(tmp_path / "a"))
    assert done.returncode == 2
    assert done.stderr.endswith("reference.json: No such file or directory\n")
