"""Many photographs: side by side, whole or not at all, and each once."""

import errno
import hashlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageOps

from deepcolor.colorize import contact_sheet, xmp
from deepcolor.colorize.colorizer import colorfulness_of, colorize, previews
from deepcolor.colorize.content_credentials import Signer, credentials
from deepcolor.colorize.inputs import MANIFEST, SHEET, Found, Job, find_jobs
from deepcolor.colorize.inspection import packet_of
from deepcolor.colorize.network import Network
from deepcolor.colorize.read import MOST_MEGAPIXELS
from deepcolor.colorize.results import Summary, read_manifest, write_manifest
from deepcolor.colorize.settings import Settings
from deepcolor.colorize.write import write
from deepcolor.errors import DeepColorError, first_line, shown
from deepcolor.files import alone_in, replacing, sha256, write_text
from deepcolor.imaging import bounds
from deepcolor.progress import Progress

# Megapixels in work at a time, but for a single larger photograph: some 10 bytes each, 16 with 16 bits.
AT_A_TIME = 100
EVERY = 30.0  # Seconds between manifests while there is work.
FULL, CLOSED = "; free some space and run the same command again", "; name another --output"
REMEDIES = {
    errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: CLOSED, errno.EACCES: CLOSED,
}  # fmt: skip
SHARED = 4  # Megapixels from which on a photograph is shared out to threads; smaller ones have one each.
PREVIEW = 320  # Longer side of the small pictures of the contact sheet, in pixels.


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
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = (error.strerror or first_line(error)).lower()
        raise DeepColorError(f"--output {output}: {said}; name another folder") from error
    # Two commands at once would write into each other's files.
    with alone_in(output):
        return _colorize_all(
            find_jobs(named, output),
            output,
            network,
            settings,
            threads,
            overwrite,
            most_megapixels,
            signer,
        )


def _colorize_all(
    found: Found,
    output: Path,
    network: Network,
    settings: Settings,
    threads: int,
    overwrite: bool,
    most_megapixels: float,
    signer: Signer | None,
) -> Summary:
    summary = Summary(failed=found.faults, passed_over=found.passed_over)
    known = read_manifest(output / MANIFEST)
    with (
        ThreadPoolExecutor(threads) as pool,
        ThreadPoolExecutor(threads) as workers,
        Progress("colorize", len(found.jobs), "photographs") as progress,
    ):
        room = Room(AT_A_TIME)
        work = Work(output, network, settings, overwrite, most_megapixels, signer, known, workers, room)
        source = iter(found.jobs)
        # Only some wait for their turn, however many there are.
        waiting: dict[Future[tuple[bool, dict[str, Any]]], Job] = {}
        written = time.monotonic()
        try:
            while True:
                for job in islice(source, 2 * threads - len(waiting)):
                    waiting[pool.submit(_colorize_file, job, work)] = job
                if not waiting:
                    break
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    _note(summary, future, waiting.pop(future))
                    progress.add()
                if time.monotonic() - written > EVERY:
                    with suppress(OSError):  # At the end it is said.
                        write_manifest(output, network.notes, summary, known)
                    written = time.monotonic()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for future, job in waiting.items():  # Interrupted: what was under way is finished.
                if not future.cancelled():
                    _note(summary, future, job)
            try:
                entries = write_manifest(output, network.notes, summary, known)
                write_text(output / SHEET, contact_sheet.render(entries, network.notes))
            except OSError as error:
                summary.failed[str(output / SHEET)] = reason(error)
    return summary


def _note(summary: Summary, future: "Future[tuple[bool, dict[str, Any]]]", job: Job) -> None:
    """Add what has become of a photograph."""
    try:
        fresh, entry = future.result()
        (summary.done if fresh else summary.kept).append(entry)
    except Exception as error:
        summary.failed[str(job.source)] = reason(error)


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
        signed = not work.signer or credentials(job.target)
        if wanted.items() <= noted.items() and signed:
            return False, _old_entry(job, noted, work)
    megapixels = megapixels_of(job.source)
    with work.room.of(megapixels):
        content = bounds.read_bytes(job.source)
        if hashlib.sha256(content).hexdigest() != checksum:
            raise ValueError("it was changed while it was read; run the same command again")
        colorized = colorize(
            content,
            checksum,
            work.network,
            work.settings,
            most_megapixels=work.most_megapixels,
            workers=work.workers if megapixels > SHARED else None,
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
        "settings": xmp.settings_of(noted),
        "time": noted.get("Time", ""),
        "colorfulness": colorfulness_of(after),
        "preview": [after.shape[1], after.shape[0]],
    }


def _old_entry(job: Job, noted: dict[str, str], work: Work) -> dict[str, Any]:
    """The entry of a file that was made before; its pictures for the contact sheet, if they are gone."""
    pair = contact_sheet.read_pair(work.output, job.name)
    if pair is None:
        with bounds.opened(bounds.read_bytes(job.target), work.most_megapixels) as image:
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
        return xmp.noted(packet_of(target))
    except ValueError:
        return {}


def megapixels_of(path: Path) -> float:
    """The size of a picture; 0 of a broken one, which takes no room."""
    try:
        with bounds.header_of(path) as image:
            return image.width * image.height / 1e6
    except Exception:  # What is wrong with it is said when it is read.
        return 0.0


def reason(error: Exception) -> str:
    """One line on why something could not be done."""
    if isinstance(error, MemoryError):
        return "the memory does not suffice; colorize it alone, or make it smaller"
    if isinstance(error, OSError) and error.errno:
        said = (error.strerror or first_line(error)).lower()
        return f"{said}{REMEDIES.get(error.errno, '')}"
    return first_line(error)


def report(summary: Summary, sheet: Path) -> None:
    """Say what has become of the photographs.

    Raises:
        SystemExit: Some failed; the exit code is 1.
    """
    for note, count in sorted(Counter(note for each in summary.done for note in each["notes"]).items()):
        print(f"colorize: of {count}: {shown(note)}")
    if summary.passed_over:
        print(f"colorize: {summary.passed_over} other files in folders were passed over")
    print(
        f"colorize: {len(summary.done)} colorized, {len(summary.kept)} done before, "
        f"{len(summary.failed)} failed: {shown(sheet)}",
        flush=True,
    )
    for name, why in sorted(summary.failed.items()):
        print(shown(f"colorize: error: {name}: {why}"), file=sys.stderr)
    if summary.failed:
        sys.exit(1)
