"""Many photographs: side by side, whole or not at all, and each once."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from deepcolor.colorize import contact_sheet, marking
from deepcolor.colorize.files import MANIFEST, SHEET, Job, find_jobs
from deepcolor.colorize.inspecting import packet_of
from deepcolor.colorize.network import Network
from deepcolor.colorize.picture import colorfulness_of, colorize, previews
from deepcolor.colorize.reading import MOST_MEGAPIXELS
from deepcolor.colorize.settings import Settings
from deepcolor.colorize.signing import Signer
from deepcolor.colorize.writing import write
from deepcolor.errors import DeepColorError, first_line
from deepcolor.files import read_json, replacing, sha256, write_json, write_text
from deepcolor.progress import Progress

# Megapixels in work at a time, but for a single larger photograph: some 10 bytes each, 16 with 16 bits.
AT_A_TIME = 100
PREVIEW = 320  # Longer side of the small pictures of the contact sheet, in pixels.


@dataclass
class Summary:
    """What has become of the photographs that were named.

    Attributes:
        done: Entries of the manifest, colorized now.
        kept: Entries of the manifest, colorized before.
        failed: By file, why not.
    """

    done: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What all photographs of a batch have in common."""

    output: Path
    network: Network
    settings: Settings
    overwrite: bool
    most_megapixels: float
    signer: Signer | None
    known: Mapping[str, dict[str, Any]]  # Entries of an earlier manifest.
    workers: Executor
    room: "Room"


class Room:
    """Megapixels that may be in work at a time."""

    def __init__(self, most: float) -> None:
        """Let `most` megapixels be in work, or a single photograph that has more."""
        self._most, self._used = most, 0.0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, megapixels: float) -> Iterator[None]:
        """Wait until there is room for a photograph, and keep it for the time of a block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + megapixels <= self._most)
            self._used += megapixels
        try:
            yield
        finally:
            with self._changed:
                self._used -= megapixels
                self._changed.notify_all()


def colorize_files(
    named: Sequence[str],
    output: Path,
    network: Network,
    settings: Settings,
    *,
    threads: int,
    overwrite: bool = False,
    most_megapixels: float = MOST_MEGAPIXELS,
    signer: Signer | None = None,
) -> Summary:
    """Colorize files, folders and patterns into a folder, with a manifest and a contact sheet.

    A photograph that fails is listed, and the others are done. What is there already, of the same
    photograph, network and settings, is kept. When it is interrupted, what was done is listed, too.

    Args:
        named: See `files.find_jobs`.
        output: Folder to write into.
        network: Gives the colors.
        settings: How.
        threads: Photographs, and parts of large ones, at a time.
        overwrite: Whether everything is made again.
        most_megapixels: Larger photographs are refused.
        signer: Signs what is written, if given.

    Raises:
        DeepColorError: The folder cannot be used.
    """
    if output.exists() and not output.is_dir():
        raise DeepColorError(f"--output {output} is a file; name a folder")
    output.mkdir(parents=True, exist_ok=True)
    jobs, faults = find_jobs(named, output)
    summary = Summary(failed=faults)
    known = _entries(output / MANIFEST)
    with (
        ThreadPoolExecutor(threads) as pool,
        ThreadPoolExecutor(threads) as workers,
        Progress("colorize", len(jobs), "photographs") as progress,
    ):
        work = Work(
            output,
            network,
            settings,
            overwrite,
            most_megapixels,
            signer,
            known,
            workers,
            Room(AT_A_TIME),
        )
        try:
            for job, future in _completed(pool, work, jobs, 2 * threads):
                try:
                    fresh, entry = future.result()
                    (summary.done if fresh else summary.kept).append(entry)
                except Exception as error:
                    summary.failed[str(job.source)] = explain(error, job)
                progress.add()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            _write_lists(output, network, summary, known)
    return summary


def _completed(
    pool: Executor, work: Work, jobs: Sequence[Job], most: int
) -> Iterator[tuple[Job, "Future[tuple[bool, dict[str, Any]]]"]]:
    """Work on jobs; yield each as it is done. Only some wait for their turn, however many there are."""
    source = iter(jobs)
    waiting = {pool.submit(_colorize_file, job, work): job for job in islice(source, most)}
    while waiting:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(future), future
            waiting.update({pool.submit(_colorize_file, job, work): job for job in islice(source, 1)})


def _colorize_file(job: Job, work: Work) -> tuple[bool, dict[str, Any]]:
    """Colorize one file, unless that is done; whether it was not, and its entry in the manifest."""
    checksum = sha256(job.source)
    wanted = {
        "InputSHA256": checksum,
        "ModelSHA256": work.network.sha256,
        "Settings": work.settings.text(),
    }
    if job.target.exists() and not work.overwrite:
        noted = _noted(job.target)
        if not noted:
            raise ValueError(
                f"{job.target} is there and was not made by DeepColor; name another --output, or "
                "--overwrite"
            )
        if wanted.items() <= noted.items():
            return False, _old_entry(job, noted, work)
    with work.room.of(_megapixels(job.source)):
        colorized = colorize(
            job.source.read_bytes(),
            checksum,
            work.network,
            work.settings,
            most_megapixels=work.most_megapixels,
            workers=work.workers,
        )
        with replacing(job.target) as temporary:
            with open(temporary, "wb+") as file:
                write(file, colorized.pixels, colorized.photograph, colorized.xmp, work.settings.quality)
            if work.signer:
                work.signer.sign(temporary, job.source, colorized.photograph)
        before, after = previews(colorized, PREVIEW)
    contact_sheet.write_pair(work.output, job.name, before, after)
    entry = _entry(job, colorized.noted, after)
    entry["kind"] = colorized.photograph.kind
    entry["notes"] = colorized.notes
    return True, entry


def _entry(job: Job, noted: dict[str, str], after: np.ndarray) -> dict[str, Any]:
    return {
        "input": str(job.source),
        "input_sha256": noted["InputSHA256"],
        "output": job.name,
        "output_sha256": sha256(job.target),
        "model": noted.get("Model", ""),
        "model_sha256": noted["ModelSHA256"],
        "software": noted["Software"],
        "settings": marking.settings_of(noted),
        "time": noted.get("Time", ""),
        "colorfulness": colorfulness_of(after),
        "preview": [after.shape[1], after.shape[0]],
    }


def _old_entry(job: Job, noted: dict[str, str], work: Work) -> dict[str, Any]:
    """The entry of a file that was made before; its pictures for the contact sheet, if they are gone."""
    pair = contact_sheet.read_pair(work.output, job.name)
    if pair is None:
        with Image.open(job.target) as image:
            image.draft("RGB", (PREVIEW, PREVIEW))
            small = ImageOps.exif_transpose(image.convert("RGB"))
            small.thumbnail((PREVIEW, PREVIEW))
        pair = np.asarray(small.convert("L").convert("RGB")), np.asarray(small)
        contact_sheet.write_pair(work.output, job.name, *pair)
    entry = _entry(job, noted, pair[1])
    # What was found out when it was made, of the photograph itself, is better than what is left to see.
    known = work.known.get(job.name, {})
    same = known.get("output_sha256") == entry["output_sha256"]
    return {**entry, **known, "input": str(job.source)} if same else entry


def _noted(target: Path) -> dict[str, str]:
    try:
        return marking.noted(packet_of(target))
    except ValueError:
        return {}


def _megapixels(path: Path) -> float:
    """The size of a picture; 0 of a broken one, which takes no room."""
    try:
        with Image.open(path) as image:
            return image.width * image.height / 1e6
    except Exception:  # What is wrong with it is said when it is read.
        return 0.0


def explain(error: Exception, job: Job) -> str:
    """One line on why a photograph could not be colorized."""
    if isinstance(error, MemoryError):
        return "the memory does not suffice; colorize it alone, or make it smaller"
    if isinstance(error, OSError) and error.errno:
        return f"{error.filename or job.target}: {(error.strerror or first_line(error)).lower()}"
    return first_line(error)


def _entries(manifest: Path) -> dict[str, dict[str, Any]]:
    """What an earlier manifest says, by output; {} where there is none, or a broken one."""
    try:
        return {each["output"]: each for each in read_json(manifest)["photographs"]}
    except (DeepColorError, OSError, KeyError, TypeError):
        return {}


def _write_lists(
    output: Path, network: Network, summary: Summary, before: dict[str, dict[str, Any]]
) -> None:
    """Write the manifest and the contact sheet, of what was made before, too."""
    new = {each["output"]: each for each in [*summary.kept, *summary.done]}
    there = {name: entry for name, entry in before.items() if (output / name).exists()}
    entries = [entry for _, entry in sorted({**there, **new}.items())]
    if not entries and not summary.failed:
        return
    write_json(
        output / MANIFEST,
        {
            "trained_on": list(network.notes),
            "photographs": entries,
            "failed": [{"input": name, "reason": why} for name, why in summary.failed.items()],
        },
    )
    write_text(output / SHEET, contact_sheet.render(entries, network.notes))


def report(summary: Summary, sheet: Path) -> None:
    """Say what has become of the photographs.

    Raises:
        SystemExit: Some failed; the exit code is 1.
    """
    for note, count in sorted(Counter(note for each in summary.done for note in each["notes"]).items()):
        print(f"colorize: of {count}: {note}")
    print(
        f"colorize: {len(summary.done)} colorized, {len(summary.kept)} done before, "
        f"{len(summary.failed)} failed: {sheet}",
        flush=True,
    )
    for name, reason in sorted(summary.failed.items()):
        print(f"colorize: error: {name}: {reason}", file=sys.stderr)
    if summary.failed:
        sys.exit(1)
