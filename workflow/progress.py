"""What the terminal shows: one line per finished step, and of a failed one the end of its log.

Snakemake reports through the standard `logging` module. `install` puts a handler that
translates in the place of the one that writes to the terminal; all that Snakemake says of a
run goes to a log.
"""

import logging
import re
from collections.abc import Iterable
from pathlib import Path

LOG_LINES = 15
"""How much of a failed step's log is shown."""

REASON_LENGTH = 100
"""How much of the reason for a step a plan shows."""

WARNING = "warning: "
"""Begins the lines of a finished step's log that are shown."""

CHATTER = "Assuming unrestricted shared filesystem usage."
"""The one thing that Snakemake says of every run before it says that it is one."""

NEWS = ("Nothing to be done", "Terminating processes", "Will exit after")
"""Beginnings of the messages that a user wants to see although they are no warnings."""

KILLED = r"died with <Signals\.SIG(KILL|ABRT)|exit status 13[47]\b"
"""What Snakemake says of a step that a signal ended which comes of a lack of memory."""

FAILED = "At least one job did not complete successfully."
"""Snakemake's last word on a run that failed."""


def install(workflow, log: str, display: type["Progress"] | None = None) -> None:
    """Show the progress of ``workflow`` in the terminal, and write Snakemake's messages to ``log``.

    Another ``display`` may be given. Nothing changes where Snakemake is a job's process, or was
    asked for a display of its own.
    """
    logger = workflow.logger_manager.logger
    settings = workflow.output_settings
    if not workflow.is_main_process or settings.quiet or settings.verbose or settings.debug_dag:
        return
    for terminal in logger.handlers:
        if terminal.name == "DefaultStreamHandler":
            logger.removeHandler(terminal)
            logger.addHandler((display or Progress)(workflow, terminal, log))
            return


class Progress(logging.Handler):
    """Translates what Snakemake says of a run, and hands the rest to the ``terminal`` handler."""

    def __init__(self, workflow, terminal: logging.StreamHandler, log: str):
        super().__init__()
        self.workflow = workflow
        self.terminal = terminal
        self.log = Path(log)
        self.running = False
        self.failed = False
        self.steps = 0
        self.finished = 0
        self.jobs: dict[int, logging.LogRecord] = {}
        self.causes: dict[int | None, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        translate = getattr(self, f"on_{getattr(record, 'event', None)}", None)
        if translate:
            translate(record)
        elif self._is_news(record):
            self.terminal.handle(record)

    def close(self) -> None:
        if self.running and self.workflow.dryrun and self.jobs:
            self._print(f"{len(self.jobs)} steps would run")
        self._print(*self.causes.values())
        self.terminal.close()
        super().close()

    def on_workflow_started(self, record: logging.LogRecord) -> None:
        self.running = True

    def on_run_info(self, record: logging.LogRecord) -> None:
        self.steps = record.stats["total"] - sum(record.stats.get(t, 0) for t in self._targets())
        if not self.workflow.dryrun:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            full = logging.FileHandler(self.log, mode="w", encoding="utf-8")
            full.setFormatter(self.terminal.formatter)
            self.workflow.logger_manager.logger.addHandler(full)

    def on_job_info(self, record: logging.LogRecord) -> None:
        if record.rule_name in self._targets():
            return
        self.jobs[record.jobid] = record
        if self.workflow.dryrun:
            self._print(f"{name(record)}  ({_shortened(record.reason)})")

    def on_job_finished(self, record: logging.LogRecord) -> None:
        started = self.jobs.get(record.job_id)
        if started:
            self.finished += 1
            self._print(f"{self._position(started, record)}  {name(started)}")
            logs = (Path(log) for log in started.log)
            self._print(*indented([line for log in logs for line in _warnings(log)]))

    def on_error(self, record: logging.LogRecord) -> None:
        """Show an error, unless it only says that a step failed: the step's log says why."""
        if record.exception == "RuleException":
            self.causes[record.thread] = record.getMessage()
        elif not (self.failed and FAILED in record.getMessage()):
            self.failed = self.running
            self.terminal.handle(record)

    def on_job_error(self, record: logging.LogRecord) -> None:
        self.failed = True
        started = self.jobs[record.jobid]
        self._print(f"{self._position(started, record)}  FAILED  {name(started)}")
        # What a cluster says of its job, such as that a node was lost.
        self._print(*indented((record.rule_msg or "").splitlines()))
        cause = self.causes.pop(record.thread, "")
        # A cluster's log of the job comes after the step's own, which says more.
        if not self._show_end(record.log):
            self._print(*indented(cause.splitlines()))
        if re.search(KILLED, cause):
            self._print("    it was killed, as steps are that need more memory than there is")

    def on_group_error(self, record: logging.LogRecord) -> None:
        """Show a cluster's log of a job of several steps; Snakemake drops what else it says."""
        self._show_end(record.aux_logs)

    def _show_end(self, logs: Iterable[str]) -> bool:
        """Show the end of the first log that has any text; tell whether there is one."""
        for log in map(Path, logs):
            if log.is_file() and log.stat().st_size:
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                self._print(f"the end of {log}:", *indented(lines[-LOG_LINES:]))
                return True
        return False

    def _targets(self) -> set[str]:
        """The rules that do nothing by themselves, which are no steps."""
        return {rule.name for rule in self.workflow.rules if rule.norun}

    def _position(self, started: logging.LogRecord, now: logging.LogRecord) -> str:
        width = len(str(self.steps))
        seconds = now.created - started.created
        left = self.steps - self.finished
        return f"[{self.finished:{width}}/{self.steps}] {seconds:6.1f} s {left:{width}} left"

    def _is_news(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if not self.running:
            return text != CHATTER
        if self.failed and record.levelno == logging.ERROR:
            return False
        return record.levelno >= logging.WARNING or text.startswith(NEWS)

    def _print(self, *lines: str) -> None:
        for line in lines:
            print(line, file=self.terminal.stream, flush=True)


def name(job: logging.LogRecord) -> str:
    """The rule, then its message, or else its wildcards where it has any."""
    return f"{job.rule_name}: {job.rule_msg or '/'.join(job.wildcards.values())}".rstrip(": ")


def _warnings(log: Path) -> list[str]:
    """What a step says in its log that a user should see although it is done."""
    if not log.is_file():
        return []
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if line.startswith(WARNING)]


def _shortened(reason: str) -> str:
    return reason if len(reason) <= REASON_LENGTH else f"{reason[:REASON_LENGTH]} …"


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
