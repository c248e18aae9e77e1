"""How far a run is, and how much time it takes from there on."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from deepcolor.config import run_progress
from deepcolor.config.run_progress import Job, RunProgress, Schedule

# True seconds of a job over those expected, by rule.
TRUTH = {"train": 3.0, "score": 0.25, "draw": 1.0}
JOBS = {
    number: Job(rule, seconds, waits_for=frozenset({number - 1} - {0}))
    for number, (rule, seconds) in enumerate(
        [("train", 40), ("score", 8), ("draw", 5), ("train", 200), ("score", 8), ("draw", 20)], start=1
    )
}


def true_seconds(job: Job) -> float:
    """What a job takes."""
    return job.seconds * TRUTH[job.rule]


def forecasts(jobs: dict[int, Job], looks: int = 4) -> dict[int, list[tuple[float, float]]]:
    """Run jobs one after the other; what was said, and what was true, at moments of each job."""
    schedule = Schedule(jobs, cores=1)
    now, end = 0.0, sum(map(true_seconds, jobs.values()))
    compared = {}
    for number, job in jobs.items():
        schedule.begin(number, now)
        moments = [now + true_seconds(job) * look / looks for look in range(looks)]
        compared[number] = [(schedule.left(moment), end - moment) for moment in moments]
        now += true_seconds(job)
        schedule.end(number, now)
    assert schedule.left(now) == 0
    return compared


def test_jobs_that_take_what_is_expected_end_when_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.TRUTH", dict.fromkeys(TRUTH, 1.0))
    for moments in forecasts(JOBS).values():
        for said, true in moments:
            assert said == pytest.approx(true)


def test_expectations_are_corrected_by_what_was_measured() -> None:
    compared = forecasts(JOBS)
    said, true = compared[1][0]
    assert said == 281 and true == 749  # Nothing is measured yet.
    # Each rule has been measured once.
    for number in (4, 5, 6):
        for said, true in compared[number]:
            assert said == pytest.approx(true)


def test_other_rules_tell_the_more_the_longer_they_were_measured() -> None:
    """They tell that the machine is slow; some short jobs do not tell how long a training takes."""
    ratios = []
    for jobs in (1, 10, 100, 10_000):
        schedule = Schedule({n: Job("a", 5) for n in range(jobs)} | {-1: Job("b", 1000)}, cores=1)
        for number in range(jobs):
            schedule.begin(number, 15 * number)
            schedule.end(number, 15 * (number + 1))
        ratios.append(schedule.left(15 * jobs) / 1000)
    assert ratios == sorted(ratios)
    assert 1 < ratios[0] < 1.02 and 2.9 < ratios[-1] < 3


@pytest.mark.parametrize(
    ("threads", "waits", "left"),
    [
        (1, False, 80 / 2),  # Two side by side.
        (2, False, 80),  # Each takes both cores.
        (1, True, 80),  # One after the other, on one core.
    ],
)
def test_jobs_share_the_cores_and_wait_for_each_other(threads: int, waits: bool, left: float) -> None:
    jobs = {
        number: Job("train", 20, threads, frozenset({number - 1} if waits else ()))
        for number in range(4)
    }
    assert Schedule(jobs, cores=2).left(0) == left


def test_a_job_that_takes_too_long_is_never_taken_to_be_at_its_end() -> None:
    schedule = Schedule({1: Job("a", 10)}, cores=1)
    schedule.begin(1, 0)
    assert schedule.left(9) == 1
    assert schedule.left(1000) == 100


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Epoch 1/30 - step 40/312 - 126 images/s - ETA epoch 2:10, run 1:05:00", 3900),
        ("Epoch 9/30 - loss 0.0231 - val_loss 0.0268 - val_psnr 22.1 dB - 126 images/s - ETA 1:12", 72),
    ],
)
def test_a_training_knows_best_how_long_it_takes(line: str, left: int, tmp_path: Path) -> None:
    log = tmp_path / "unet_30.log"
    jobs = {1: Job("train", 60, log=log), 2: Job("train", 120, waits_for=frozenset({1}))}
    schedule = Schedule(jobs, cores=1)
    now = time.time()
    schedule.begin(1, now - 100)
    # What an earlier run has written says nothing.
    log.write_text(f"train_model unet_30: {line}\n")
    os.utime(log, (now - 200, now - 200))
    assert schedule.left(now) == pytest.approx(10 + 120)
    # Four seconds ago; a warning follows.
    log.write_text(
        f"train_model unet_30: {line}\ntrain_model unet_30: warning: the pictures are noise\n"
    )
    os.utime(log, (now - 4, now - 4))
    own = left - 4
    assert schedule.left(now) == pytest.approx(own + 120 * (100 + own) / 60)


def test_thousands_of_jobs_are_planned(tmp_path: Path) -> None:
    shards = {number: Job("write_shards", 5) for number in range(5000)}
    chain = {5000 + n: Job("train", 60, waits_for=frozenset({4999 + n, *shards})) for n in range(200)}
    schedule = Schedule(shards | chain, cores=8)
    assert schedule.left(0) == 5 + 200 * 60


def record(event: str, **details: object) -> logging.LogRecord:
    """An event as Snakemake logs it."""
    return logging.makeLogRecord({"event": event, "levelno": logging.INFO, **details})


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A clock that goes on by as many seconds as it is told to."""
    clock = SimpleNamespace(now=1e9)
    monkeypatch.setattr(run_progress, "time", SimpleNamespace(time=lambda: clock.now))

    def wait(seconds: float) -> None:
        clock.now += seconds

    return wait


def test_a_line_a_job_counts_them(
    capsys: pytest.CaptureFixture[str], passing: Callable[[float], None]
) -> None:
    progress = RunProgress({1: Job("train", 600), 2: Job("draw", 240)}, cores=1)
    for event in (
        record("run_info"),
        record("job_info", jobid=1, rule_msg="Train unet_10"),
        record("job_error", jobid=1),
        record("job_info", jobid=1, rule_msg="Train unet_10"),
        record("job_finished", job_id=1),
        record("job_info", jobid=2, rule_msg="Draw"),
        record("job_finished", job_id=2),
        record("job_info", jobid=0, rule_msg=None),  # Rule `all`, which runs nothing.
        record("job_finished", job_id=0),
    ):
        progress.handle(event)
        passing(600)
    assert capsys.readouterr().out.splitlines() == [
        "Job 1 of 2: Train unet_10 - about 14 min left",
        "Job 1 of 2: Train unet_10 - about 14 min left",
        "Job 2 of 2: Draw - about 4 min left",
    ]


def test_a_long_job_does_not_keep_it_silent(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    passing: Callable[[float], None],
) -> None:
    progress = RunProgress({1: Job("draw", 3), 2: Job("train", 7200)}, cores=1)
    progress.handle(record("job_info", jobid=1, rule_msg="Draw"))
    passing(3)
    progress.handle(record("job_finished", job_id=1))
    monkeypatch.setattr(run_progress, "FIRST_UPDATE_S", 0.01)
    progress.handle(record("job_info", jobid=2, rule_msg="Train unet_10"))
    passing(3600)
    said, end = "", time.monotonic() + 60
    while "1 of 2 jobs done - about 1 h 0 min left\n" not in said:
        assert time.monotonic() < end
        time.sleep(0.01)
        said += capsys.readouterr().out
