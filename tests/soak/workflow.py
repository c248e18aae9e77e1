"""Inflict faults on whole runs at random moments; what docs/faults.md says to type must mend them.

Afterwards scores, predictions, weights, tables and figures are those of a run that was left alone.

python tests/soak/workflow.py --rounds 5 --seed 0     make soak ROUNDS=5: every fault in every stage
python tests/soak/workflow.py --only killed-job       faults whose names have this in them
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow")]

from conftest import Copy, copy_project, mounted  # noqa: E402
from soak import disturbed  # noqa: E402
from soak.disturbed import Started, jobs, runners, send, snakemakes, start, until_job  # noqa: E402

# Small, but every stage lasts long enough to be hit, and a longer run goes on from a shorter one.
CONFIGURATION = """
image_size: 32
images_per_shard: 8
data_sets:
  photographs: {source: photographs, training: 12, validation: 6}
models:
  unet: {architecture: unet, filters: [4, 8]}
training: {epochs: [6, 40], batch_size: 4, batch_norm_momentum: 0.5}
report: {images: 2}
"""
SHORTER, LONGER = "unet_6", "unet_40"


@dataclass(frozen=True)
class Stage:
    """A part of a run.

    Attributes:
        script: Its process shows that the stage has begun.
        seconds: In which something happens then.
        before: What is there of data/ and results/, as patterns.
        target: What is asked for in place of the whole report, which a round would take hours for.
    """

    script: str
    seconds: float
    before: tuple[str, ...]
    target: str


DATA = ("data/photographs/**/*",)
SHARDS = (*DATA, "data/shards/**/*")
TRAINED = tuple(
    f"results/unet_*/{name}"
    for name in ("model.keras", "history.csv", "training.json", "state.safetensors")
)
SCORED = tuple(
    f"results/{folder}/{name}"
    for folder in ("unet_*", "baselines/*")
    for name in ("metrics.json", "per_image.csv", "predictions.npy")
)


def stages(shorter: str = SHORTER, longer: str = LONGER) -> dict[str, Stage]:
    """The stages of a configuration with these two runs."""
    scores = f"results/{shorter}/metrics.json"
    return {
        "fetch": Stage("fetch_photographs", 2, (), scores),
        "shards": Stage("write_shards", 7, DATA, scores),
        "train": Stage("train_model", 18, SHARDS, f"results/{longer}/metrics.json"),
        "evaluate": Stage(
            "(predict_images|score_predictions)", 12, (*SHARDS, *TRAINED), "results/tables/metrics.csv"
        ),
        "report": Stage("tabulate_metrics", 10, (*SHARDS, *TRAINED, *SCORED), "all"),
    }


@dataclass
class Trial:
    """A copy that something is to happen to.

    Attributes:
        copy: With what is there before the stage.
        stage: In which it happens.
        chance: For moments and choices.
        did: What happened, in a few words.
        said: All that was printed.
    """

    copy: Copy
    stage: Stage
    chance: random.Random
    did: str = ""
    said: str = ""

    def begin(self, command: str = "make report") -> Started:
        """Start a command, and wait for any moment of the stage."""
        started = start(self.copy, self._shortened(command))
        assert until_job(started, self.stage.script), f"it ended too soon:\n{started.said()}"
        seconds = self.chance.uniform(0, self.stage.seconds)
        time.sleep(seconds)
        names = sorted({Path(job.cmdline()[1]).stem for job in jobs(started)})
        self.did = f"{seconds:.1f} s into {self.stage.script}, at work: {', '.join(names) or 'no job'}"
        return started

    def end(self, started: Started, *says: str) -> int:
        """Wait for the end; it must have said one of some texts, unless the fault came too late."""
        code = started.wait()
        self.said += f"{started.said()}[exit code {code}]\n"
        assert "Traceback" not in started.said(), self.said
        assert code == 0 or not says or any(text in started.said() for text in says), self.said
        return code

    def end_all(self, started: Started, *says: str) -> None:
        """Wait for the end of all its processes; what it started must not outlive it for long."""
        self.end(started, *says)
        end = time.monotonic() + 60
        while members := started.members():
            assert time.monotonic() < end, f"still alive: {members}\n{self.said}"
            time.sleep(0.1)

    def type(self, command: str, says: str = "") -> None:
        """Type a command; it must work or, where it has to say something, must not."""
        result = self.copy.run(self._shortened(command), timeout=500)
        self.said += f"$ {command}\n{result.stdout}[exit code {result.returncode}]\n"
        assert "Traceback" not in result.stdout, self.said
        assert (result.returncode != 0) == bool(says) and says in result.stdout, self.said

    def _shortened(self, command: str) -> str:
        return command.replace("make report", f"make report TARGET={self.stage.target}")


STOPPED = "Error: a job was stopped; the same command resumes the run"
SIGNALED = "; the same command resumes the run"
LOCKED = "Error: another run is at work in this folder, or one was killed. If none is, type: make unlock"
FULL = "the disk is full; free some space and run the same command again"


def killed_job(trial: Trial) -> None:
    """The process of a job is killed, as by a kernel that runs out of memory."""
    started = trial.begin()
    until_job(started)
    send(jobs(started)[:1], signal.SIGKILL)
    trial.end(started, STOPPED)
    trial.type("make report")


def killed_snakemake(trial: Trial) -> None:
    """Snakemake is killed under `make`, which ends with the jobs that were at work."""
    started = trial.begin()
    send(snakemakes(started), signal.SIGKILL)
    trial.end(started, LOCKED)
    trial.type("make unlock")
    trial.type("make report")


def orphaned_job(trial: Trial) -> None:
    """Plain Snakemake is killed, and the next one starts while the jobs of the first are at work."""
    started = trial.begin(f"snakemake --cores 2 --quiet all -- {trial.stage.target}")
    send(snakemakes(started), signal.SIGKILL)
    started.wait()
    trial.type("make unlock")
    trial.type("make report")
    while jobs(started):
        time.sleep(0.1)
    trial.did += ", which was waited for" * ("Waiting for process" in trial.said)
    trial.said += f"meanwhile:\n{started.said()}"


def killed_all(trial: Trial) -> None:
    """All processes are killed at once, as when the machine goes down."""
    started = trial.begin()
    send(started.members(), signal.SIGKILL)
    trial.end(started)
    trial.type("make report", says=LOCKED)
    trial.type("make unlock")
    trial.type("make report")


def terminated_snakemake(trial: Trial) -> None:
    """Snakemake gets SIGTERM, as from a batch system: it lets its jobs end, and no other begin."""
    started = trial.begin()
    send(snakemakes(started), signal.SIGTERM)
    trial.end(started, STOPPED)
    trial.type("make report")


def terminated_make(trial: Trial) -> None:
    """`make` and the runner get SIGTERM, twice or more, as from `timeout`."""
    started = trial.begin()
    started.process.terminate()
    os.killpg(started.process.pid, signal.SIGTERM)
    trial.end_all(started, SIGNALED)
    trial.type("make report")


def interrupted(trial: Trial) -> None:
    """Ctrl-C, which a terminal sends to `make` and the runner: once, or again to end the jobs."""
    started = trial.begin()
    os.killpg(started.process.pid, signal.SIGINT)
    if trial.chance.random() < 0.7:
        time.sleep(trial.chance.uniform(0.1, 2))
        trial.did += ", again"
        with suppress(ProcessLookupError):
            os.killpg(started.process.pid, signal.SIGINT)
    trial.end_all(started, SIGNALED)
    trial.type("make report")


def killed_make(trial: Trial) -> None:
    """`make` or the runner is killed; what it has started ends."""
    started = trial.begin()
    send(trial.chance.choice([[started.process], runners(started)]), signal.SIGKILL)
    trial.end_all(started)
    trial.type("make report")


def full_disk(trial: Trial) -> None:
    """The disk gets full, and space is made."""
    used = "data" if trial.stage.script in ("fetch_photographs", "write_shards") else "results"
    folder = trial.chance.choice([used, "."])
    with moved(trial.copy, folder) as disk:
        started = trial.begin()
        trial.did += f", {folder} full"
        with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(2**12))
        trial.end(started, FULL)
        (disk / "filler").unlink()
        trial.type("make report")


@contextmanager
def moved(copy: Copy, folder: str) -> Iterator[Path]:
    """Have a folder of a copy, or all of it, on a small disk of its own for the time of a block."""
    here, aside = copy.folder / folder, copy.folder.with_name(f"{copy.folder.name}-aside")
    shutil.copytree(here, aside, symlinks=True)
    with mounted(here, "size=64m"):
        shutil.copytree(aside, here, symlinks=True, dirs_exist_ok=True)
        yield here
        shutil.rmtree(aside)
        shutil.copytree(here, aside, symlinks=True)
    shutil.rmtree(here)
    shutil.move(aside, here)


def read_only(trial: Trial) -> None:
    """A folder becomes read-only, and writable again."""
    folder = trial.chance.choice(["results", "data"])
    (trial.copy.folder / folder).mkdir(exist_ok=True)
    started = trial.begin()
    trial.did += f", {folder} read-only"
    with disturbed.read_only(trial.copy.folder / folder):
        trial.end(started, "read-only")
        trial.type("make report", says=f"/{folder} is read-only; make it writable, or set 'results'")
    trial.type("make report")


def clock_set_back(trial: Trial) -> None:
    """After a crash the clock, which was a day ahead, is set right: all files are from the future."""
    started = trial.begin()
    send(started.members(), signal.SIGKILL)
    trial.end(started)
    for path in trial.copy.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 86400))
    trial.type("make unlock")
    trial.type("make report", says="Error: there are files from the future here")
    trial.type("make now")
    trial.type("make report")
    before = disturbed.times(trial.copy)
    trial.type("make report")
    assert disturbed.times(trial.copy) == before, "a second time there was something to do"


def two_at_once(trial: Trial) -> None:
    """A second run is started in the folder of a first one."""
    started = trial.begin()
    try:
        trial.type("make report", says=LOCKED)
    except AssertionError:
        if snakemakes(started):  # The first one has not ended meanwhile.
            raise
    assert trial.end(started) == 0, trial.said
    trial.type("make report")


# Files that are damaged afterwards, and what is then asked for.
ALTERED = {
    "data/photographs/ranges/00000-of-00001.csv": "data/shards/photographs-32/index.json",
    "data/photographs/manifest.csv": "data/shards/photographs-32/index.json",
    "data/photographs/images/*.png": "data/shards/photographs-32/index.json",
    "data/photographs/data_set.json": "results/tables/data_sets.csv",
    "data/shards/photographs-32/training-00000-of-00002.tfrecord": f"results/{SHORTER}/training.json",
    "data/shards/photographs-32/training-00000-of-00002.json": "data/shards/photographs-32/index.json",
    "data/shards/photographs-32/index.json": "results/samples.npz",
    f"results/{SHORTER}/state.safetensors": f"results/{LONGER}/training.json",
    f"results/{LONGER}/model.keras": f"results/{LONGER}/metrics.json",
    f"results/{LONGER}/training.json": "results/tables/training.csv",
    f"results/{LONGER}/history.csv": "results/figures/curves-unet.svg",
    f"results/{LONGER}/metrics.json": "results/tables/metrics.csv",
    f"results/{LONGER}/per_image.csv": "results/tables/comparisons.csv",
    f"results/{LONGER}/predictions.npy": "results/figures/grid-unet.png",
    f"results/{LONGER}/architecture.json": "results/figures/architecture-unet.svg",
    "results/samples.npz": "results/figures/grid-unet.png",
    "results/extremes.npz": f"results/figures/extremes-{LONGER}.png",
    "results/tables/metrics.csv": "results/figures/scores.svg",
    "results/rules.json": "results/figures/workflow.svg",
}


def damage(file: Path, how: str, chance: random.Random) -> str:
    """Cut a file short, or flip a bit of it; say which."""
    content = file.read_bytes()
    where = chance.randrange(1, len(content))
    changed = bytes([content[where] ^ 1]) + content[where + 1 :] if how == "changed" else b""
    file.write_bytes(content[:where] + changed)
    return f"{file.name} {how} at {where} of {len(content)}"


def altered(trial: Trial, pattern: str, how: str) -> None:
    """A file is cut short or changed after it was written; a line names it, and what to delete."""
    file = trial.chance.choice(sorted(trial.copy.folder.glob(pattern)))
    name = file.relative_to(trial.copy.folder).as_posix()
    trial.did = damage(file, how, trial.chance)
    trial.type("make report", says=f"error: {name} ")
    line = next(line for line in trial.said.splitlines() if f"error: {name} " in line)
    told = line.split("; delete ")[1].split(" and run the same command again")[0]
    for each in told.split(" and the folder "):
        path = trial.copy.folder / (name if each == "it" else each)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    trial.type("make report")


# By the names of the rows in docs/faults.md.
FAULTS: dict[str, Callable[[Trial], None]] = {
    "killed-job": killed_job,
    "killed-snakemake": killed_snakemake,
    "orphaned-job": orphaned_job,
    "killed-all": killed_all,
    "terminated-snakemake": terminated_snakemake,
    "terminated-make": terminated_make,
    "interrupted": interrupted,
    "killed-make": killed_make,
    "full-disk": full_disk,
    "read-only": read_only,
    "clock-set-back": clock_set_back,
    "two-at-once": two_at_once,
}


def finish(folder: Path) -> Copy:
    """A copy in which all has run, undisturbed."""
    folder.mkdir()
    copy = copy_project(folder)
    copy.write("config.yaml", CONFIGURATION)
    result = copy.run("make report")
    assert result.returncode == 0, result.stdout
    return copy


def before(stage: Stage, reference: Copy, folder: Path) -> Copy:
    """A copy of a finished one with what is there before a stage."""
    subprocess.run(["cp", "-a", reference.folder, folder], check=True)
    kept = {path for pattern in stage.before for path in folder.glob(pattern)}
    for top in ("data", "results"):
        for path in list((folder / top).rglob("*")):
            if path.is_file() and path not in kept and path.name != "README.md":
                path.unlink()
    return Copy(folder)


def attempt(
    name: str, inflict: Callable[[Trial], None], stage: Stage, reference: Copy, folder: Path, seed: str
) -> str:
    """Inflict a fault on a copy of a finished run, and compare what there is in the end.

    Returns:
        What happened, in a few words.

    Raises:
        AssertionError: Something else was said or left than in the run that was left alone.
    """
    trial = Trial(before(stage, reference, folder), stage, random.Random(seed))
    try:
        inflict(trial)
        found = disturbed.fingerprints(trial.copy)
        # Before the whole report, some of it need not be there yet.
        expected = disturbed.fingerprints(reference)
        if stage.target != "all":
            expected = {file: each for file, each in expected.items() if file in {*found, stage.target}}
        differences = disturbed.differences(expected, found)
        assert not differences, "\n".join([*differences, trial.said])
    except AssertionError as error:
        raise AssertionError(f"{name}, seed '{seed}', {trial.did}, in {folder}:\n{error}") from error
    shutil.rmtree(folder)
    return trial.did


def plan(number: int, only: str) -> Iterator[tuple[str, Callable[[Trial], None], Stage]]:
    """The faults of a round, by name, each in another stage than in the round before."""
    known = stages()
    for place, (name, inflict) in enumerate(FAULTS.items()):
        stage = list(known)[(number + place) % len(known)]
        if only in f"{name} {stage}":
            yield f"{name} {stage}", inflict, known[stage]
    for place, (pattern, target) in enumerate(ALTERED.items()):
        how = ("cut", "changed")[(number + place) % 2]
        name = f"altered {Path(pattern).name}"
        if only in name:
            # Photographs are read once more if there are no shards.
            there = DATA if name.endswith(".png") else ("data/**/*", "results/**/*")
            whole = Stage("", 0, there, target)
            yield name, partial(altered, pattern=pattern, how=how), whole


def main() -> None:
    """Parse the command line and soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="five have every fault in every stage")
    parser.add_argument("--seed", type=int, default=0, help="of moments and choices")
    parser.add_argument("--only", default="", help="faults whose names have this in them")
    parser.add_argument("--reference", type=Path, help="finished copy; made, if not given")
    args = parser.parse_args()
    began = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="deepcolor-soak-"))
    reference = Copy(args.reference) if args.reference else finish(work / "reference")
    count, failed = 0, 0
    for number in range(args.rounds):
        for name, inflict, stage in plan(number, args.only):
            count, since = count + 1, time.monotonic()
            folder = work / f"{count}"
            try:
                did = attempt(name, inflict, stage, reference, folder, f"{args.seed} {number} {name}")
                print(f"{name}: {did}; as undisturbed, {time.monotonic() - since:.0f} s", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"FAILED {error}", flush=True)
    print(f"{count} faults, {failed} failed, {time.monotonic() - began:.0f} s")
    if failed:
        sys.exit(1)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
