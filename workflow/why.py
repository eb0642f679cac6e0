"""Why a target would be made again, in plain words: which key, file or code changed, and how.

Snakemake keeps with each file the parameters of the step that made it; here they are held against
those of today. Steps that run only because one before them does are named, and no more.
"""

import ast
import difflib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lineage
import progress
from snakemake.jobs import Reason

from pixelspace import fingerprint

LONGEST = 60
"""Letters of a value that are shown."""

SECTIONS = {
    "config": "",
    "screen_dpi": "figures.screen_dpi",
    "kind": "experiments.{experiment}.{group}.{subject}.kind",
    "shows": "sweeps.{sweep}.shows",
    "measures": "sweeps.{sweep}.measures",
}
"""Where parameters of steps are from that the ledger need not tell of."""

DERIVED = {
    "seed": "the seed changed: that of the configuration, or the rule that derives others from it",
    "listing": "the photographs changed, by their names, sizes or times",
    "images": "the images that networks of sweeps share with experiments changed",
    "failures": "networks failed, and are tried again",
    "planned": "the settings changed that units take from the projections of the nearest layer",
    "planned_images": "the settings changed that images take from projections of others",
    "shown": "what there is to show of the networks changed",
    "steps": "what the paper cites or shows, or what makes it, is no longer the same",
}
"""What to say of parameters whose values nobody wrote."""


def install(workflow, log: str) -> None:
    """Explain the plan of ``workflow`` in the terminal in the place of listing it."""
    progress.install(workflow, log, Why)


class Why(progress.Progress):
    """Says of each step of a plan what it comes of."""

    def on_job_info(self, record: logging.LogRecord) -> None:
        if record.rule_name in self._targets():
            return
        self.jobs[record.jobid] = record
        dag = self.workflow.dag
        (job,) = (job for job in dag.needrun_jobs() if dag.jobid(job) == record.jobid)
        causes = list(_causes(job, dag.reason(job), self.workflow.persistence))
        self._print(progress.name(record))
        self._print(*progress.indented(causes or ["follows from the steps above"]))


def _causes(job, reason: Reason, persistence) -> Iterator[str]:
    """Yield what of a step itself has changed, a line each."""
    if reason.missing_output:
        yield f"not there: {', '.join(sorted(map(str, reason.missing_output)))}"
        return
    if reason.forced:
        yield "not as it was written, or it is not known how it was made"
    for file in sorted(map(str, reason.updated_input - reason.updated_input_run)):
        yield f"newer than what was made of it: {file}"
    known = persistence.input(job.output[0])
    if known is not None:
        now = set(map(str, job.input))
        yield from (f"one more to read: {file}" for file in sorted(now - set(known)))
        yield from (f"no more to read: {file}" for file in sorted(set(known) - now))
    change = persistence.params_changed(job)
    if change:
        olds = [ast.literal_eval(old) for old in sorted(change.only_old)]
        for name, new in job.params.items():
            if repr(new) in change.only_new:
                old = _predecessor(new, olds)
                yield from _changed(job, name, old, new)


def _predecessor(new: Any, olds: list) -> Any:
    """Take out of the values that a step had, and no longer has, the one that another replaced.

    Snakemake keeps values without names; the one that looks most like it must be it.
    """
    alike = [old for old in olds if type(old) is type(new)]
    if not alike:
        return None
    best = max(alike, key=lambda old: difflib.SequenceMatcher(None, repr(old), repr(new)).ratio())
    olds.remove(best)
    return best


def _key(job, name: str) -> str:
    """Return where in the configuration a parameter of a step is from, or else its name."""
    known = {**dict(job.params.items()), **job.wildcards_dict}
    place = lineage.section(job.rule.name, name, known)
    if place is None and name in SECTIONS:
        for group in ("projection", "measure"):
            if group in known:
                known |= {"group": f"{group}s", "subject": known[group]}
        return SECTIONS[name].format_map(known)
    return place or name


def _changed(job, name: str, old: Any, new: Any) -> Iterator[str]:
    """Yield what differs between two values of a parameter of a step."""
    if name in DERIVED:
        yield DERIVED[name]
    elif name == "code":
        yield from _changed_code(old, new)
    elif job.rule.name in ("compute_points", "collect_sweep") and name in ("points", "networks"):
        yield from _changed_networks(_key(job, name), old or [], new)
    elif name == "network" and old:
        yield from _changed_network(_key(job, name), old, new)
    else:
        yield from _compared(_key(job, name), old, new)


def _changed_network(name: str, old: Mapping, new: Mapping) -> Iterator[str]:
    """Yield what differs between two networks, whose settings are in a section of their kind."""
    kind = new["kind"]
    if old["kind"] == kind:
        yield from _compared(f"{name}.{kind}", old, new)
    else:
        yield f"{name}.kind was {_short(old['kind'])} and is {_short(kind)}"


def _changed_code(old: Mapping | None, new: Mapping) -> Iterator[str]:
    if old is None:
        yield "the code changed; how is not known, as the record is of an older version"
        return
    for part in sorted(old.keys() | new.keys()):
        if not fingerprint.is_code(part) and old.get(part) != new.get(part):
            versions = (have.get(part, "not used") for have in (old, new))
            yield "{} was {} and is {}".format(part, *versions)
        elif part not in old or part not in new:
            yield f"the code {'has' if part in new else 'no longer has'} {_file(part)}"
        elif old[part] != new[part]:
            yield f"the code changed in {_file(part)}: its hash was {old[part]} and is {new[part]}"


def _changed_networks(name: str, old: Mapping | list, new: Mapping | list) -> Iterator[str]:
    """Yield how many networks came and went: each has the name of a hash of all it depends on."""
    before, after = (
        set(own) if isinstance(own, Mapping) else {network["key"] for network in own}
        for own in (old, new)
    )
    if before == after:
        yield from _compared(name, old, new)
    else:
        new, gone = len(after - before), len(before - after)
        yield f"{name}: {new} networks are new, and {gone} are no longer asked for"


def _compared(name: str, old: Any, new: Any) -> Iterator[str]:
    """Yield what differs between two values, by key in mappings, by place in what is long."""
    lists = isinstance(old, list | tuple) and isinstance(new, list | tuple)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            here = f"{name}.{key}" if name else str(key)
            if key not in old or key not in new:
                was, now = (_short(own[key]) if key in own else "not set" for own in (old, new))
                yield f"{here} was {was} and is {now}"
            elif old[key] != new[key]:
                yield from _compared(here, old[key], new[key])
    elif lists and max(len(repr(old)), len(repr(new))) > LONGEST:
        yield from _compared_lists(name, old, new)
    else:
        yield f"{name} was {_short(old)} and is {_short(new)}"


def _compared_lists(name: str, old: list | tuple, new: list | tuple) -> Iterator[str]:
    same = difflib.SequenceMatcher(None, [*map(repr, old)], [*map(repr, new)], autojunk=False)
    for how, i, end, j, other_end in same.get_opcodes():
        if how == "equal":
            continue
        both = end - i if end - i == other_end - j else 0
        for k in range(both):
            yield from _compared(f"{name}.{i + k}", old[i + k], new[j + k])
        yield from (f"{name} no longer has {_short(one)}" for one in old[i + both : end])
        yield from (f"{name} has {_short(one)} as well" for one in new[j + both : other_end])


def _file(part: str) -> str:
    """Return the file of a script or of a module."""
    path = Path(part if part.startswith("scripts/") else f"src/{part.replace('.', '/')}.py")
    package = path.with_suffix("")
    return str(package / "__init__.py" if package.is_dir() else path)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
