"""A trained network on photographs that lie anywhere: the scores of the pipeline, without its shards."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from deepcolor.colorize.network import Network
from deepcolor.colorize.read import MAX_MEGAPIXELS, MIN_CHROMA
from deepcolor.colorize.room import MEGAPIXELS_AT_A_TIME, Room, megapixels_of
from deepcolor.data.manifest import read_manifest
from deepcolor.data.near_duplicates import HashIndex
from deepcolor.data.quality import SIDE, Checks, defect, perceptual_hash
from deepcolor.data.sources.base import Candidate, Rejection
from deepcolor.errors import DeepColorError, first_line
from deepcolor.evaluation import metrics
from deepcolor.evaluation.predict import BATCH_SIZE
from deepcolor.files import sha256
from deepcolor.imaging import lab
from deepcolor.imaging.decoding import read_square
from deepcolor.progress import Progress, ahead

Item = TypeVar("Item")

# What photographs without a manifest are called together.
DATA_SET = "photographs"
# Bits in which the perceptual hashes of near-duplicates differ at most, as the pipeline has it.
NEAR_DUPLICATES = 6


@dataclass
class Evaluated:
    """What photographs have scored.

    Attributes:
        scores: Of the network, a row per photograph: see `score.summarize`.
        baselines: Scores of baselines, by their key in `labels.BASELINES`, likewise.
        rejected: What was not scored, and why.
        apart: Photographs of the manifest that are of another split than the one asked for.
        missing: Photographs of the manifest that are not among those named.
        passed_over: Number of files in folders that are no pictures by their names.
    """

    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    baselines: dict[str, pd.DataFrame] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)
    apart: int = 0
    missing: int = 0
    passed_over: int = 0


@dataclass(frozen=True)
class Read:
    """A photograph at the size at which a network sees it.

    Attributes:
        candidate: Its name, and what else is known of it.
        square: True colors, `(size, size, 3)` uint8 RGB.
        seen: Picture whose luminance the network is given, likewise.
        extent: Width and height of the file's picture in pixels.
        sha256: Checksum of the file; "" where it was not checked.
        hash: Perceptual hash; None where it was not checked.
    """

    candidate: Candidate
    square: np.ndarray
    seen: np.ndarray
    extent: tuple[int, int]
    sha256: str
    hash: int | None


@dataclass(frozen=True)
class Protocol:
    """How photographs are scored.

    Attributes:
        data_set: What they are called together.
        baselines: Predictions that need no network, by their key in `labels.BASELINES`: functions
            from photographs, `(n, size, size, 3)` uint8, to pictures likewise.
        true_lightness: See `metrics.per_image`.
    """

    data_set: str
    baselines: dict[str, Callable[[np.ndarray], np.ndarray]]
    true_lightness: bool = False


def evaluate_photographs(
    files: Sequence[Path],
    network: Network,
    *,
    threads: int,
    manifest: Path | None = None,
    split: str | None = None,
) -> Evaluated:
    """Predict the colors of photographs from their luminance, and score the predictions.

    Reading, luminance, rounding, batches and measures are those of the pipeline: for the photographs
    of a manifest's split, `model.keras` scores the very values of the pipeline. Some pictures are
    in memory at a time, however many there are.

    Without a manifest what is gray, of one tone, smaller than the network's pictures, broken, or there
    already is rejected, as in fetching, and a near-duplicate joins the group of the nearest.

    Args:
        files: The photographs.
        network: Gives the colors.
        threads: Photographs that are read, and measured, at a time.
        manifest: Of a data set, written by `manifest.write_manifest`: its photographs alone are scored,
            found by their content, in its order, with its ids and groups, and unchecked.
        split: Of the manifest; None for all.

    Raises:
        DeepColorError: None can be scored, or the manifest cannot be used.
    """
    done = Evaluated()
    if manifest is None:
        checks = Checks(network.size, MIN_CHROMA, toned=False, near_duplicates=NEAR_DUPLICATES)
        candidates = [Candidate(id=str(file), path=file) for file in files]
    else:
        checks = None
        candidates = _of_manifest(files, manifest, split, threads, done)
    room = Room(MEGAPIXELS_AT_A_TIME)
    read = partial(read_photograph, size=network.size, checks=checks, room=room)
    data_set = manifest.absolute().parent.name if manifest else DATA_SET
    protocol = Protocol(data_set, {"grayscale-copy": lab.grayscale})
    score_photographs(candidates, read, protocol, network, threads, done)
    if done.scores.empty:
        first = f" (first: {done.rejected[0].id}, {done.rejected[0].reason})" if done.rejected else ""
        raise DeepColorError(f"none of {len(files)} photographs can be scored{first}; name others")
    return done


def score_photographs(
    items: Sequence[Item],
    read: Callable[[Item], Read | Rejection],
    protocol: Protocol,
    network: Network,
    threads: int,
    done: Evaluated,
) -> None:
    """Score a network, and baselines, on photographs. Some pictures are in memory at a time.

    Args:
        items: What the photographs are read from.
        read: Function that reads a photograph; called in threads.
        protocol: How they are scored.
        network: Gives the colors.
        threads: Photographs that are read, and measured, at a time.
        done: Gets the scores, and what was rejected.
    """
    data_set = protocol.data_set
    measure = partial(metrics.per_image, true_lightness=protocol.true_lightness)
    names: list[tuple[str, str, str]] = []
    parts: dict[str, list[pd.DataFrame]] = {"": [], **{name: [] for name in protocol.baselines}}
    with (
        ThreadPoolExecutor(threads) as workers,
        Progress("evaluate", len(items), "photographs") as progress,
        closing(ahead(read, items, threads)) as results,
    ):
        fit = _fit(results, done.rejected, progress)
        while batch := list(islice(fit, BATCH_SIZE)):
            truth = np.stack([photograph.square for photograph, _ in batch])
            seen = np.stack([photograph.seen for photograph, _ in batch])
            predictions = {"": lab.to_8bit(network.predict(lab.luminance(seen)))}
            predictions |= {name: make(truth) for name, make in protocol.baselines.items()}
            for name, predicted in predictions.items():
                parts[name].append(measure(truth, predicted, workers))
            names += [(data_set, photograph.candidate.id, group) for photograph, group in batch]
    if not names:
        return
    named = pd.DataFrame(names, columns=["data_set", "id", "group"])
    frames = {
        name: pd.concat([named, pd.concat(each, ignore_index=True)], axis=1)
        for name, each in parts.items()
    }
    done.scores = frames.pop("")
    done.baselines = frames


def _of_manifest(
    files: Sequence[Path], manifest: Path, split: str | None, threads: int, done: Evaluated
) -> list[Candidate]:
    """The photographs of a manifest that are among files, in its order; what is not is noted."""
    try:
        rows = read_manifest(manifest)
    except OSError as error:
        raise DeepColorError(
            f"--manifest {manifest}: {(error.strerror or str(error)).lower()}"
        ) from error
    except (ValueError, DeepColorError) as error:  # What the pipeline says is to delete it.
        said = first_line(error).split(";")[0]
        raise DeepColorError(f"--manifest {manifest} is no manifest ({said}); name another") from error
    if rows.empty:
        raise DeepColorError(f"--manifest {manifest} has no photographs; name another")
    if split is not None and split not in set(rows["split"]):
        known = ", ".join(rows["split"].unique())
        raise DeepColorError(f"--split {split}: {manifest} has {known}; name one of them")
    with closing(ahead(_checksum, files, threads)) as checksums:
        paths: dict[str, Path] = {}
        for file, checksum in zip(files, checksums, strict=True):
            if checksum is None:
                done.rejected.append(Rejection(str(file), "cannot be read"))
            else:
                paths.setdefault(checksum, file)
    splits = dict(zip(rows["sha256"], rows["split"], strict=True))
    done.rejected += [
        Rejection(str(file), f"not in {manifest}")
        for checksum, file in paths.items()
        if checksum not in splits
    ]
    done.apart = sum(split is not None and splits.get(each, split) != split for each in paths)
    wanted = rows if split is None else rows[rows["split"] == split]
    done.missing = sum(row.sha256 not in paths for row in wanted.itertuples())
    return [
        Candidate(id=str(row.id), path=paths[str(row.sha256)], group=str(row.group))
        for row in wanted.itertuples()
        if row.sha256 in paths
    ]


def _checksum(file: Path) -> str | None:
    """A file's checksum; None where it cannot be read."""
    try:
        return sha256(file)
    except OSError:
        return None


def read_photograph(
    candidate: Candidate, size: int, checks: Checks | None, room: Room
) -> Read | Rejection:
    """Read a photograph, and see whether it is fit.

    Args:
        candidate: The photograph.
        size: Side of the network's pictures in pixels.
        checks: Quality checks; None for none.
        room: Limit on the megapixels in memory.
    """
    path = candidate.path
    assert path
    if not candidate.id.isprintable():  # It could not be written into a table, nor into a message.
        return Rejection(ascii(candidate.id), "unusable file name")
    megapixels = megapixels_of(path)
    if megapixels > MAX_MEGAPIXELS:
        return Rejection(candidate.id, f"too large: {megapixels:.0f} megapixels")
    try:
        with room.of(megapixels):
            square, extent = read_square(path, size)
            if checks is None:
                return Read(candidate, square, square, extent, "", None)
            small, _ = read_square(path, SIDE)
        if unfit := defect(small, *extent, checks):
            return Rejection(candidate.id, unfit)
        return Read(candidate, square, square, extent, sha256(path), perceptual_hash(small))
    except (ValueError, OSError) as error:
        return Rejection(candidate.id, f"cannot be read: {first_line(error)}")


def _fit(
    found: Iterator[Read | Rejection], rejected: list[Rejection], progress: Progress
) -> Iterator[tuple[Read, str]]:
    """The photographs that are scored, each with its group; the others are noted."""
    first_with: dict[str, str] = {}
    index, groups = HashIndex(NEAR_DUPLICATES), list[str]()
    for each in found:
        progress.add()
        if isinstance(each, Rejection):
            rejected.append(each)
            continue
        id, group = each.candidate.id, each.candidate.group
        if each.hash is not None:
            if first_with.setdefault(each.sha256, id) != id:
                rejected.append(Rejection(id, f"duplicate of {first_with[each.sha256]}"))
                continue
            near = index.find(each.hash)
            group = groups[near[0]] if len(near) else id
            index.add(each.hash)
            groups.append(group)
        yield each, group
