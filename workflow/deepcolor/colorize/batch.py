"""Many photographs: in parallel, whole or not at all, and each once."""

import errno
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from deepcolor.colorize import contact_sheet
from deepcolor.colorize.batch_file import Batch, BatchOptions, colorize_file
from deepcolor.colorize.inputs import MANIFEST, SHEET, Found, Job, find_jobs
from deepcolor.colorize.network import Network
from deepcolor.colorize.results import Summary, read_results, write_results
from deepcolor.colorize.room import MEGAPIXELS_AT_A_TIME, Room
from deepcolor.colorize.settings import Settings
from deepcolor.errors import DeepColorError, first_line, printable
from deepcolor.files import alone_in, write_text
from deepcolor.progress import Progress

RESULTS_SECONDS = 30.0  # Seconds between manifests while there is work.
FULL, CLOSED = "; free some space and run the same command again", "; name another --output"
REMEDIES = {
    errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: CLOSED, errno.EACCES: CLOSED,
}  # fmt: skip


def colorize_files(
    named: Sequence[str],
    output: Path,
    network: Network,
    settings: Settings,
    options: BatchOptions,
) -> Summary:
    """Colorize files, folders and patterns into a folder, with a manifest and a contact sheet.

    A photograph that fails is listed, and the others are done. An existing picture of the same
    photograph, network and settings is kept. After an interruption, what was done is listed, too.

    Args:
        named: Files, folders and patterns, see `inputs.find_jobs`.
        output: Folder to write into.
        network: Network that predicts the colors.
        settings: Settings of the pictures.
        options: Options of the batch.

    Raises:
        DeepColorError: The folder cannot be used.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (error.strerror or first_line(error)).lower()
        raise DeepColorError(f"--output {output}: {message}; name another folder") from error
    # Two commands at once would write into each other's files.
    with alone_in(output):
        return _colorize_all(find_jobs(named, output), output, network, settings, options)


def _colorize_all(
    found: Found, output: Path, network: Network, settings: Settings, options: BatchOptions
) -> Summary:
    summary = Summary(failed=found.faults, passed_over=found.passed_over)
    known = read_results(output / MANIFEST)
    with (
        ThreadPoolExecutor(options.threads) as pool,
        ThreadPoolExecutor(options.threads) as workers,
        Progress("colorize", len(found.jobs), "photographs") as progress,
    ):
        room = Room(MEGAPIXELS_AT_A_TIME)
        batch = Batch(output, network, settings, options, known, workers, room)
        source = iter(found.jobs)
        # Only some wait for their turn, however many there are.
        waiting: dict[Future[tuple[bool, dict[str, Any]]], Job] = {}
        written = time.monotonic()
        try:
            while True:
                for job in islice(source, 2 * options.threads - len(waiting)):
                    waiting[pool.submit(colorize_file, job, batch)] = job
                if not waiting:
                    break
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    _note(summary, future, waiting.pop(future))
                    progress.add()
                if time.monotonic() - written > RESULTS_SECONDS:
                    with suppress(OSError):  # Reported at the end.
                        write_results(output, network.notes, summary, known)
                    written = time.monotonic()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for future, job in waiting.items():  # Interrupted: what was under way is finished.
                if not future.cancelled():
                    _note(summary, future, job)
            try:
                entries = write_results(output, network.notes, summary, known)
                write_text(output / SHEET, contact_sheet.render(entries, network.notes))
            except OSError as error:
                summary.failed[str(output / SHEET)] = reason(error)
    return summary


def _note(summary: Summary, future: "Future[tuple[bool, dict[str, Any]]]", job: Job) -> None:
    """Add the outcome of a photograph to the summary."""
    try:
        fresh, entry = future.result()
        (summary.done if fresh else summary.kept).append(entry)
    except Exception as error:
        summary.failed[str(job.source)] = reason(error)


def reason(error: Exception) -> str:
    """Return in one line why something could not be done."""
    if isinstance(error, MemoryError):
        return "the memory does not suffice; colorize it alone, or make it smaller"
    if isinstance(error, OSError) and error.errno:
        message = (error.strerror or first_line(error)).lower()
        return f"{message}{REMEDIES.get(error.errno, '')}"
    return first_line(error)


def report(summary: Summary, sheet: Path) -> None:
    """Print the outcome of the photographs.

    Raises:
        SystemExit: Some failed; the exit code is 1.
    """
    for note, count in sorted(Counter(note for each in summary.done for note in each["notes"]).items()):
        print(f"colorize: of {count}: {printable(note)}")
    if summary.passed_over:
        print(f"colorize: {summary.passed_over} other files in folders were passed over")
    print(
        f"colorize: {len(summary.done)} colorized, {len(summary.kept)} done before, "
        f"{len(summary.failed)} failed: {printable(sheet)}",
        flush=True,
    )
    for name, why in sorted(summary.failed.items()):
        print(printable(f"colorize: error: {name}: {why}"), file=sys.stderr)
    if summary.failed:
        sys.exit(1)
