"""One photograph of a batch: colorized once, whole or not at all, and its entry in the manifest."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageOps

from deepcolor.colorize import contact_sheet, xmp
from deepcolor.colorize.colorizer import Limits, colorfulness_of, colorize, previews
from deepcolor.colorize.content_credentials import Signer, credentials
from deepcolor.colorize.inputs import Job
from deepcolor.colorize.network import Network
from deepcolor.colorize.read import MAX_MEGAPIXELS
from deepcolor.colorize.room import Room, megapixels_of
from deepcolor.colorize.settings import Settings
from deepcolor.colorize.write import write
from deepcolor.files import replacing, sha256
from deepcolor.imaging import bounds

# Megapixels from which on a photograph is shared out to threads; smaller ones have one each.
SHARED_MEGAPIXELS = 4
PREVIEW = 320  # Longer side of the small pictures of the contact sheet, in pixels.


@dataclass(frozen=True)
class BatchOptions:
    """Options of a batch that do not change its pictures.

    Attributes:
        threads: Number of photographs, and of parts of large ones, at a time.
        overwrite: Whether existing pictures are made again.
        most_megapixels: Size in megapixels above which photographs are refused.
        signer: Signer of the pictures, None not to sign them.
    """

    threads: int = 1
    overwrite: bool = False
    most_megapixels: float = MAX_MEGAPIXELS
    signer: Signer | None = None


@dataclass(frozen=True)
class Batch:
    """What all photographs of a batch share.

    Attributes:
        output: Folder of the pictures.
        network: Network that predicts the colors.
        settings: Settings of the pictures.
        options: Options of the batch.
        known: Entries of an earlier manifest, by output.
        workers: Threads for the parts of large photographs.
        room: Limit on the megapixels in batch.
    """

    output: Path
    network: Network
    settings: Settings
    options: BatchOptions
    known: Mapping[str, dict[str, Any]]
    workers: Executor
    room: Room


def colorize_file(job: Job, batch: Batch) -> tuple[bool, dict[str, Any]]:
    """Colorize one file, unless its picture exists.

    Returns:
        Whether it was colorized now, and its entry in the manifest.

    Raises:
        ValueError: The photograph cannot be colorized.
    """
    checksum = sha256(job.source)
    wanted = {
        "InputSHA256": checksum,
        "ModelSHA256": batch.network.sha256,
        "Settings": batch.settings.text(),
    }
    if job.target.exists() and not batch.options.overwrite:
        noted = _noted(job.target)
        if not noted:
            raise ValueError(
                f"{job.target} is there and was not made by DeepColor; name another --output, or "
                "--overwrite"
            )
        signed = not batch.options.signer or credentials(job.target)
        if wanted.items() <= noted.items() and signed:
            return False, _old_entry(job, noted, batch)
    megapixels = megapixels_of(job.source)
    with batch.room.of(megapixels):
        content = bounds.read_bytes(job.source)
        if hashlib.sha256(content).hexdigest() != checksum:
            raise ValueError("it was changed while it was read; run the same command again")
        colorized = colorize(
            content,
            checksum,
            batch.network,
            batch.settings,
            limits=Limits(batch.options.most_megapixels),
            workers=batch.workers if megapixels > SHARED_MEGAPIXELS else None,
        )
        with replacing(job.target) as temporary:
            with open(temporary, "wb+") as file:
                write(
                    file, colorized.pixels, colorized.photograph, colorized.xmp, batch.settings.quality
                )
            if batch.options.signer:
                batch.options.signer.sign(temporary, job.source, colorized.photograph)
        before, after = previews(colorized, PREVIEW)
    contact_sheet.write_pair(batch.output, job.name, before, after)
    about = {"kind": colorized.photograph.kind, "notes": colorized.notes}
    return True, _entry(job, colorized.noted, after) | about


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


def _old_entry(job: Job, noted: dict[str, str], batch: Batch) -> dict[str, Any]:
    """Return the entry of an earlier picture; write its contact sheet pictures if they are gone."""
    pair = contact_sheet.read_pair(batch.output, job.name)
    if pair is None:
        with bounds.opened(bounds.read_bytes(job.target), batch.options.most_megapixels) as image:
            image.draft("RGB", (PREVIEW, PREVIEW))
            small = ImageOps.exif_transpose(image.convert("RGB"))
            small.thumbnail((PREVIEW, PREVIEW))
        pair = np.asarray(small.convert("L").convert("RGB")), np.asarray(small)
        contact_sheet.write_pair(batch.output, job.name, *pair)
    entry = _entry(job, noted, pair[1])
    # What was found out when it was made, of the photograph itself, is better than what is left to see.
    known = batch.known.get(job.name, {})
    same = known.get("output_sha256") == entry["output_sha256"]
    return {**entry, **known, "input": str(job.source)} if same else entry


def _noted(target: Path) -> dict[str, str]:
    try:
        return xmp.noted(xmp.packet_of(target))
    except ValueError:
        return {}
