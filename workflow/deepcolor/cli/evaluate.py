"""The command `deepcolor evaluate`."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcolor.cli.arguments import add_photographs_and_model, count, folder
from deepcolor.errors import DeepColorError, first_line, printable

if TYPE_CHECKING:  # They are slow to import.
    from deepcolor.colorize.evaluate import Evaluated
    from deepcolor.colorize.network import Network

# What the table shows; all else is in the files.
SHOWN = (
    *("psnr", "ssim", "ciede2000", "chroma_rmse", "chroma_deficit", "colorfulness_difference"),
    "dominant_channel_accuracy",
)
# Of old photographs the colorfulness itself, next to that of the true colors.
SHOWN_OF_PAIRS = ("psnr", "ciede2000", "colorfulness", "chroma_rmse", "chroma_deficit")


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `deepcolor evaluate`."""
    parser.description = (
        "Score a trained network on color photographs: they are turned gray, colorized and compared, "
        "exactly as the pipeline does it. With --truth, score it on black-and-white pictures whose "
        "true colors are known from other pictures."
    )
    add_photographs_and_model(parser, "*")
    parser.add_argument(
        "--truth",
        type=folder,
        metavar="FOLDER",
        help="folder with black-and-white/NAME.* and true-colors/NAME.*: the first are colorized "
        "and compared with the second, with the luminance of these; with PHOTOGRAPHs, those are the "
        "black-and-white pictures, and FOLDER may hold the true colors itself",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="JSON file, like metrics.json")
    parser.add_argument("--per-image", type=Path, metavar="FILE", help="CSV file, like per_image.csv")
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="manifest.csv of a data set: its photographs alone, unchecked, with its ids and groups",
    )
    parser.add_argument("--split", metavar="NAME", help="of the manifest, such as validation (all)")
    parser.add_argument("--threads", type=count, default=0, help="of the CPU (all)")
    parser.set_defaults(run=run_evaluate)


def run_evaluate(args: argparse.Namespace) -> None:
    """Evaluate, print a table, and write what is asked for."""
    _check_options(args)
    for option, file in _targets(args):
        _check_target(option, file, args.manifest)
    threads = args.threads or os.cpu_count() or 1
    done, content, text = (_run_pairs if args.truth else _run_photographs)(args, threads)
    from deepcolor.evaluation import score
    from deepcolor.files import write_json

    if args.output:
        write_json(args.output, content)
    if args.per_image:
        score.write_per_image(done.scores, args.per_image)
    for rejection in done.rejected:
        print(printable(f"evaluate: passed over: {rejection.id}: {rejection.reason}"), file=sys.stderr)
    if done.apart:
        print(f"evaluate: {done.apart} photographs are of other splits than {args.split}")
    if done.missing:
        print(
            f"evaluate: {done.missing} photographs of {printable(args.manifest)} are not among those "
            "named"
        )
    if done.passed_over:
        print(f"evaluate: {done.passed_over} other files in folders were passed over")
    print(f"evaluate: {len(done.scores)} scored, {len(done.rejected)} rejected")
    print(text, flush=True)


def _check_options(args: argparse.Namespace) -> None:
    """Check that options fit together.

    Raises:
        DeepColorError: They do not.
    """
    if not args.photographs and not args.truth:
        raise DeepColorError("there are no photographs; name files or folders, or --truth FOLDER")
    if args.truth and args.manifest:
        raise DeepColorError("--manifest is of color photographs; leave it out with --truth")
    if args.split and not args.manifest:
        raise DeepColorError("--split is of a manifest; name it with --manifest")
    if args.output and args.per_image and args.output.resolve() == args.per_image.resolve():
        raise DeepColorError(f"--output and --per-image are both {args.output}; name two files")


def _targets(args: argparse.Namespace) -> tuple[tuple[str, Path | None], ...]:
    return ("--output", args.output), ("--per-image", args.per_image)


def _run_photographs(args: argparse.Namespace, threads: int) -> tuple["Evaluated", dict[str, Any], str]:
    """Score color photographs; return scores, content of the JSON file and table."""
    from deepcolor.colorize.evaluate import evaluate_photographs
    from deepcolor.colorize.inputs import Found, find_files
    from deepcolor.evaluation import score

    found = Found()
    files: dict[Path, Path] = {}  # Each once, whatever it is named by.
    for named in args.photographs:
        for file, _ in find_files(named, found):
            files.setdefault(file.resolve(), file)
    _check_inputs(args, set(files))
    for named, why in found.faults.items():
        raise DeepColorError(f"{named}: {why}; figures are of all that is named, or of nothing")
    network = _open(args.model, threads)
    done = evaluate_photographs(
        list(files.values()), network, threads=threads, manifest=args.manifest, split=args.split
    )
    done.passed_over = found.passed_over
    content = score.summarize(done.scores)
    grayscale = score.summarize(done.baselines["grayscale-copy"])
    columns = {
        network.name: content["all"]["as_predicted"],
        f"{network.name}, luminance kept": content["all"]["luminance_kept"],
        "Grayscale copy": grayscale["all"]["as_predicted"],
    }
    return done, content, table(columns, SHOWN, content)


def _run_pairs(args: argparse.Namespace, threads: int) -> tuple["Evaluated", dict[str, Any], str]:
    """Score old photographs; return scores, content of the JSON file and table."""
    from deepcolor.colorize.old_photographs import evaluate_pairs, find_pairs, summarize_pairs
    from deepcolor.labels import run_label

    pairs = find_pairs(args.photographs, args.truth)
    _check_inputs(args, pairs.files)
    network = _open(args.model, threads)
    done = evaluate_pairs(pairs, network, threads=threads)
    content = summarize_pairs(done)
    columns = {
        network.name: content["all"]["luminance_kept"],
        **{run_label(name): figures for name, figures in content["baselines"].items()},
    }
    text = table(columns, SHOWN_OF_PAIRS, content)
    return done, content, f"{text}, all with the luminance of the true colors"


def _check_inputs(args: argparse.Namespace, files: set[Path]) -> None:
    """Check that no file to be written is an input.

    Raises:
        DeepColorError: One is.
    """
    from deepcolor.colorize.network import network_file

    for option, file in _targets(args):
        if file and file.resolve() in {*files, network_file(args.model).resolve()}:
            raise DeepColorError(f"{option} {file}: is an input; name another file")


def _open(model: Path, threads: int) -> "Network":
    """Load a network and print what there is to say of it."""
    from deepcolor.colorize.loading import open_network

    network = open_network(model, threads)
    for note in network.notes:
        print(f"evaluate: {printable(note)}", flush=True)
    return network


def _check_target(option: str, file: Path | None, manifest: Path | None) -> None:
    """Find out before the work whether a file can be written.

    Raises:
        DeepColorError: It cannot.
    """
    if file is None:
        return
    if file.is_dir() or not file.name:
        raise DeepColorError(f"{option} {file}: is a folder; name a file")
    if file.exists() and not file.is_file():
        raise DeepColorError(f"{option} {file}: is no regular file; name another file")
    if manifest and file.resolve() == manifest.resolve():
        raise DeepColorError(f"{option} {file}: is the manifest; name another file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        said = (error.strerror or first_line(error)).lower()
        raise DeepColorError(f"{option} {file}: {said}; name another file") from error


def table(columns: dict[str, dict[str, Any]], shown: Sequence[str], content: dict[str, Any]) -> str:
    """The main figures as text: mean and 95 % interval of each.

    Args:
        columns: Figures by heading, such as `score.summarize`'s `["all"]["as_predicted"]`.
        shown: Measures, a row each.
        content: `score.summarize`, for the numbers of images and photographs.
    """
    from deepcolor.evaluation.measures import MEASURES

    rows = [["", *columns]]
    for name in shown:
        measure = MEASURES[name]
        label = f"{measure.label} ({measure.unit})" if measure.unit else measure.label
        better = f", {measure.better} is better" if measure.better else ""
        cells = [_figure(figures[name], measure.digits) for figures in columns.values()]
        rows.append([f"{label}{better}", *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    n, photographs = content["all"]["n"], content["all"]["photographs"]
    return "\n".join([*lines, f"Means over n = {n} images of {photographs} photographs [95 % interval]"])


def _figure(figure: dict[str, float | None], digits: int) -> str:
    text = f"{figure['value']:z.{digits}f}"
    if figure["low"] is None or figure["high"] is None:
        return text
    return f"{text} [{figure['low']:z.{digits}f}, {figure['high']:z.{digits}f}]"
