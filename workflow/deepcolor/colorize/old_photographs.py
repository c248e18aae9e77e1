"""A test of old photographs: black-and-white pictures and their true colors from other pictures.

The network is given the black-and-white picture. Its chroma is put on the luminance of the true
colors, so that a difference of exposure between the two pictures does not count as a wrong color.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from deepcolor.colorize.evaluate import (
    DATA_SET,
    NEAR_DUPLICATES,
    Evaluated,
    Protocol,
    Read,
    read_photograph,
    score_photographs,
)
from deepcolor.colorize.inputs import Found, find_files
from deepcolor.colorize.network import Network
from deepcolor.colorize.read import MIN_CHROMA
from deepcolor.colorize.room import MEGAPIXELS_AT_A_TIME, Room
from deepcolor.data.quality import Checks
from deepcolor.data.sources.base import Candidate, Rejection
from deepcolor.errors import DeepColorError
from deepcolor.evaluation import score
from deepcolor.evaluation.baselines import constant_chroma, mean_chroma
from deepcolor.files import sha256
from deepcolor.imaging import lab

BLACK_AND_WHITE, TRUE_COLORS = "black-and-white", "true-colors"
# Largest ratio of the aspect ratios of two pictures of the same frame.
ASPECT_TOLERANCE = 1.02
LUMINANCE_KEPT = "The prediction's chroma on the L* of the true colors."
PROTOCOL = Protocol(
    DATA_SET,
    {
        "grayscale-copy": lab.grayscale,
        "mean-chroma-oracle": lambda truth: constant_chroma(truth, mean_chroma(truth)),
        "true-chroma": lambda truth: truth,
    },
    true_lightness=True,
)


@dataclass(frozen=True)
class Pair:
    """Files of a black-and-white picture and of its true colors."""

    black_and_white: Path
    true_colors: Path


@dataclass
class Pairs:
    """The pictures of a test of old photographs.

    Attributes:
        pairs: Pictures with the same name, in the order of the black-and-white ones.
        unpaired: Files without exactly one counterpart, with the reason.
        files: All files, resolved.
        passed_over: Number of other files in the folders.
    """

    pairs: list[Pair] = field(default_factory=list)
    unpaired: list[Rejection] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)
    passed_over: int = 0


def find_pairs(photographs: Sequence[str], truth: Path) -> Pairs:
    """Pair black-and-white pictures with their true colors, by place and name without suffix.

    Args:
        photographs: Files, folders and patterns of black-and-white pictures; empty for the folder
            `black-and-white` of `truth`.
        truth: Folder with the folders `black-and-white` and `true-colors`; or, if photographs are
            named, folder of the true colors.

    Raises:
        DeepColorError: A name stands for no pictures, or there is no pair.
    """
    folders = truth / BLACK_AND_WHITE, truth / TRUE_COLORS
    if not truth.is_dir():
        raise DeepColorError(f"--truth {truth}: there is no such folder; name another")
    if not photographs:
        for folder in folders:
            if not folder.is_dir():
                raise DeepColorError(
                    f"--truth {truth}: has no folder {folder.name}; name a folder with "
                    f"{BLACK_AND_WHITE}/ and {TRUE_COLORS}/, or name the black-and-white pictures, too"
                )
    true_colors = folders[1] if folders[1].is_dir() else truth
    found = Found()
    beside = true_colors.parent / BLACK_AND_WHITE
    grays = _by_name(photographs or [str(folders[0])], found, beside)
    colors = _by_name([str(true_colors)], found, true_colors)
    for name, reason in found.faults.items():
        raise DeepColorError(f"{name}: {reason}; figures are of all that is named, or of nothing")
    files = [file for side in (grays, colors) for files in side.values() for file in files]
    result = Pairs(files={file.resolve() for file in files}, passed_over=found.passed_over)
    # Of named photographs, only these are asked for.
    unused = [] if photographs else [name for name in colors if name not in grays]
    for name in [*grays, *unused]:
        _add(result, grays.get(name, []), colors.get(name, []))
    if not result.pairs:
        first = result.unpaired[0]
        raise DeepColorError(
            f"no black-and-white picture can be paired with one in {true_colors} "
            f"(first: {first.id}, {first.reason}); give both the same name, "
            "such as anna.jpg and anna.png"
        )
    return result


def _by_name(named: Sequence[str], found: Found, folder: Path) -> dict[str, list[Path]]:
    """Return pictures, each once, by their place without suffix.

    Args:
        named: Files, folders and patterns.
        found: Faults and the number of files passed over are added to it.
        folder: Folder that the places of its own pictures are relative to, whatever is named; those of
            others are relative to what is named.
    """
    files: dict[str, dict[Path, Path]] = {}
    for each in named:
        for file, place in find_files(each, found):
            if file.resolve().is_relative_to(folder.resolve()):
                place = file.resolve().relative_to(folder.resolve())
            files.setdefault(place.with_suffix("").as_posix(), {}).setdefault(file.resolve(), file)
    return {name: list(each.values()) for name, each in files.items()}


def _add(pairs: Pairs, grays: list[Path], colors: list[Path]) -> None:
    """Add the files of one name: a pair, or files without exactly one counterpart."""
    if len(grays) == len(colors) == 1 and grays[0].resolve() != colors[0].resolve():
        pairs.pairs.append(Pair(grays[0], colors[0]))
        return
    if not colors:
        reason = "no true colors with this name"
    elif not grays:
        reason = "no black-and-white picture with this name"
    elif len(grays) == len(colors) == 1:
        reason = "named as its own true colors"
        colors = []
    else:
        reason = f"{len(grays)} black-and-white pictures and {len(colors)} true colors have this name"
    pairs.unpaired += [Rejection(str(file), reason) for file in (*grays, *colors)]


def evaluate_pairs(pairs: Pairs, network: Network, *, threads: int) -> Evaluated:
    """Predict colors from black-and-white pictures, and score them against the true colors.

    Broken pictures, those smaller than the network's, pairs of different aspect ratios, and true colors
    that are gray or of one tone are rejected. Near-duplicates among true colors are one group.

    Args:
        pairs: The pictures.
        network: Gives the colors.
        threads: Photographs that are read, and measured, at a time.

    Raises:
        DeepColorError: None can be scored.
    """
    done = Evaluated(rejected=list(pairs.unpaired), passed_over=pairs.passed_over)
    checks = Checks(network.size, MIN_CHROMA, toned=False, near_duplicates=NEAR_DUPLICATES)
    read = partial(_read_pair, checks=checks, room=Room(MEGAPIXELS_AT_A_TIME))
    score_photographs(pairs.pairs, read, PROTOCOL, network, threads, done)
    if done.scores.empty:
        first = done.rejected[len(pairs.unpaired)]
        raise DeepColorError(
            f"none of {len(pairs.pairs)} pairs can be scored (first: {first.id}, {first.reason}); "
            "name others"
        )
    return done


def _read_pair(pair: Pair, checks: Checks, room: Room) -> Read | Rejection:
    """Read both pictures of a pair, and see whether they are fit."""
    size = checks.min_side
    seen = read_photograph(
        Candidate(id=str(pair.black_and_white), path=pair.black_and_white), size, None, room
    )
    truth = read_photograph(
        Candidate(id=str(pair.true_colors), path=pair.true_colors), size, checks, room
    )
    for picture in (seen, truth):
        if isinstance(picture, Rejection):
            return picture
    assert isinstance(seen, Read) and isinstance(truth, Read)
    (width, height), (true_width, true_height) = seen.extent, truth.extent
    if min(width, height) < size:
        return Rejection(seen.candidate.id, f"too small: {width}×{height}")
    ratio = width * true_height / (height * true_width)
    if not 1 / ASPECT_TOLERANCE <= ratio <= ASPECT_TOLERANCE:
        return Rejection(
            seen.candidate.id,
            f"{width}×{height}, but its true colors {true_width}×{true_height}; crop both alike",
        )
    # Only the same two pictures are a duplicate: several plates may have the same true colors.
    checksum = sha256(pair.black_and_white) + truth.sha256
    return replace(truth, candidate=seen.candidate, seen=seen.square, sha256=checksum)


def summarize_pairs(done: Evaluated) -> dict[str, Any]:
    """Return the content of a JSON file like metrics.json, with the baselines, the luminance kept.

    Args:
        done: Scores of `evaluate_pairs`.
    """
    return {
        **score.summarize(done.scores, LUMINANCE_KEPT),
        "baselines": {
            name: score.summarize(scores)["all"]["luminance_kept"]
            for name, scores in done.baselines.items()
        },
    }
