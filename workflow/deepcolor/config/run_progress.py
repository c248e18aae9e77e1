"""How far a run of the pipeline is: a line for each job that starts, with the time left for all."""

import logging
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from deepcolor.config.preflight import format_duration

# Seconds after which a line says what is left though no job has started: first when a training has had
# the time to learn its own speed, then from time to time.
FIRST_UPDATE_S, UPDATE_S = 75.0, 300.0
# The time left of thousands of jobs is added up less often: that takes at most this share of the time.
ADDING_SHARE = 0.01
# A job that takes longer than expected is taken to need this much of its time so far again.
OVERDUE = 0.1
# What a training says of its own time left, see `training.reporting`.
ETA = re.compile(r"- ETA (?:epoch [\d:]+, run )?([\d:]+)$", re.MULTILINE)
TAIL_BYTES = 4096


@dataclass(frozen=True)
class Job:
    """A job of a run.

    Attributes:
        rule: Name of its rule.
        seconds: Expected run time.
        threads: CPU threads that it takes.
        waits_for: Ids of the jobs whose files it reads.
        log: Log in which a training says how much time is left; None for other jobs.
    """

    rule: str
    seconds: float
    threads: int = 1
    waits_for: frozenset[int] = frozenset()
    log: Path | None = None


class Schedule:
    """The jobs of a run, when they began, and how long they took.

    Times are those of `time.time`.

    Attributes:
        began: Time at which a job began, by its id.
        took: Seconds that a finished job took, by its id.
    """

    def __init__(self, jobs: Mapping[int, Job], cores: int) -> None:
        """Plan jobs, by their id, on a number of CPU cores that they share."""
        self.jobs, self.cores = jobs, cores
        self.began: dict[int, float] = {}
        self.took: dict[int, float] = {}
        needs = {number: job.waits_for & jobs.keys() for number, job in jobs.items()}
        self._order = list(TopologicalSorter(needs).static_order())

    def begin(self, number: int, now: float) -> None:
        """Note that a job begins; again, if it has failed."""
        self.began[number] = now

    def end(self, number: int, now: float) -> None:
        """Note that a job has ended well."""
        self.took[number] = now - self.began.setdefault(number, now)

    def left(self, now: float) -> float:
        """Return the seconds until all jobs have ended.

        What was expected of a job is corrected by what was measured. Jobs share the cores, and follow
        each other where one waits for another's files.
        """
        running = self.began.keys() - self.took.keys()
        announced = {
            number: seconds
            for number in running
            if (seconds := self._announced(number, now)) is not None
        }
        # A training that has announced its time left counts as measured.
        ends = {number: now - self.began[number] + left for number, left in announced.items()}
        ratios = self._ratios({**self.took, **ends})
        work, chains = 0.0, dict.fromkeys(self.took, 0.0)
        for number in self._order:
            if number in self.took:
                continue
            job = self.jobs[number]
            left = job.seconds * ratios(job)
            if number in running:
                elapsed = now - self.began[number]
                left = announced.get(number, max(left - elapsed, OVERDUE * elapsed))
            work += left * job.threads
            before = (chains[each] for each in job.waits_for if each in chains)
            chains[number] = left + max(before, default=0.0)
        return max(work / self.cores, max(chains.values(), default=0.0))

    def _ratios(self, took: Mapping[int, float]) -> Callable[[Job], float]:
        """Return a function from a job to the ratio of the time that it will take to that expected.

        It is that of the jobs of the same rule, if there are any in `took`. Otherwise it is that of
        all jobs, in which the job itself counts as one that takes what is expected: some short jobs
        say little of a long one.
        """
        measured: dict[str, float] = defaultdict(float)
        expected: dict[str, float] = defaultdict(float)
        for number, seconds in took.items():
            for rule in (self.jobs[number].rule, ""):
                measured[rule] += seconds
                expected[rule] += self.jobs[number].seconds

        def ratio(job: Job) -> float:
            if job.rule in measured:
                return measured[job.rule] / expected[job.rule]
            return (measured[""] + job.seconds) / (expected[""] + job.seconds)

        return ratio

    def _announced(self, number: int, now: float) -> float | None:
        """Return the time left of a running job as its log says it; None if it does not."""
        log = self.jobs[number].log
        if log is None:
            return None
        with suppress(OSError), log.open("rb") as file:
            written = log.stat().st_mtime
            file.seek(-min(TAIL_BYTES, log.stat().st_size), 2)
            announced = ETA.findall(file.read().decode("utf-8", "replace"))
            # Not from a log of an earlier run.
            if announced and written >= self.began[number]:
                seconds = 0
                for part in announced[-1].split(":"):
                    seconds = 60 * seconds + int(part)
                return max(0.0, seconds - (now - written))
        return None


class RunProgress(logging.Handler):
    """Prints a line for each job that starts, from the events that Snakemake logs."""

    def __init__(self, jobs: Mapping[int, Job], cores: int) -> None:
        """Follow jobs, by their id, on a number of CPU cores."""
        super().__init__()
        self._schedule = Schedule(jobs, cores)
        self._end = self._next_estimate = 0.0
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event; print a line if a job starts."""
        # Attributes by Snakemake: `snakemake_interface_logger_plugins.common.LogEvent` lists the events.
        event = vars(record)
        schedule, now = self._schedule, time.time()
        if event.get("event") == "job_info" and event["jobid"] in schedule.jobs:
            schedule.begin(event["jobid"], now)
            place = f"Job {len(schedule.began)} of {len(schedule.jobs)}"
            self._print(f"{place}: {event['rule_msg']}", now)
            self._update_after(FIRST_UPDATE_S)
        elif event.get("event") == "job_finished" and event["job_id"] in schedule.jobs:
            schedule.end(event["job_id"], now)

    def _update(self) -> None:
        """Print what is left though no job has started."""
        self.acquire()
        try:
            done, total = len(self._schedule.took), len(self._schedule.jobs)
            self._print(f"{done} of {total} jobs done", time.time())
            self._update_after(UPDATE_S)
        finally:
            self.release()

    def _update_after(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, self._update)
        self._timer.daemon = True
        self._timer.start()

    def _print(self, text: str, now: float) -> None:
        if now >= self._next_estimate:
            self._end = now + self._schedule.left(now)
            self._next_estimate = now + (time.time() - now) / ADDING_SHARE
        # In one piece, as jobs print there, too. Nobody may read it any more.
        with suppress(OSError):
            sys.stdout.write(f"{text} - about {format_duration(self._end - now)} left\n")
            sys.stdout.flush()
