"""The command `deepcolor evaluate`."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from deepcolor.cli.arguments import add_photographs_and_model, count
from deepcolor.errors import DeepColorError, first_line, printable

# What the table shows; all else is in the files.
SHOWN = (
    *("psnr", "ssim", "ciede2000", "chroma_rmse", "chroma_deficit", "colorfulness_difference"),
    "dominant_channel_accuracy",
)


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `deepcolor evaluate`."""
    parser.description = (
        "Score a trained network on color photographs: they are turned gray, colorized and compared, "
        "exactly as the pipeline does it."
    )
    add_photographs_and_model(parser)
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
    if args.split and not args.manifest:
        raise DeepColorError("--split is of a manifest; name it with --manifest")
    if args.output and args.per_image and args.output.resolve() == args.per_image.resolve():
        raise DeepColorError(f"--output and --per-image are both {args.output}; name two files")
    for option, file in (("--output", args.output), ("--per-image", args.per_image)):
        _check_target(option, file, args.manifest)
    from deepcolor.colorize.evaluate import evaluate_photographs
    from deepcolor.colorize.inputs import Found, find_files
    from deepcolor.colorize.loading import open_network
    from deepcolor.colorize.network import network_file
    from deepcolor.evaluation import score
    from deepcolor.files import write_json

    found = Found()
    files: dict[Path, Path] = {}  # Each once, whatever it is named by.
    for named in args.photographs:
        for file, _ in find_files(named, found):
            files.setdefault(file.resolve(), file)
    for option, file in (("--output", args.output), ("--per-image", args.per_image)):
        if file and file.resolve() in {*files, network_file(args.model).resolve()}:
            raise DeepColorError(f"{option} {file}: is an input; name another file")
    for named, why in found.faults.items():
        raise DeepColorError(f"{named}: {why}; figures are of all that is named, or of nothing")
    threads = args.threads or os.cpu_count() or 1
    network = open_network(args.model, threads)
    for note in network.notes:
        print(f"evaluate: {printable(note)}", flush=True)
    done = evaluate_photographs(
        list(files.values()), network, threads=threads, manifest=args.manifest, split=args.split
    )
    content = score.summarize(done.scores)
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
    if found.passed_over:
        print(f"evaluate: {found.passed_over} other files in folders were passed over")
    print(f"evaluate: {len(done.scores)} scored, {len(done.rejected)} rejected")
    print(table(network.name, content, score.summarize(done.grayscale)), flush=True)


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


def table(run: str, network: dict[str, Any], grayscale: dict[str, Any]) -> str:
    """The main figures as text: mean and 95 % interval of each.

    Args:
        run: Name of the network.
        network: Its `score.summarize`.
        grayscale: The same of the input unchanged.
    """
    from deepcolor.evaluation.measures import MEASURES

    columns = {
        run: network["all"]["as_predicted"],
        f"{run}, luminance kept": network["all"]["luminance_kept"],
        "Grayscale copy": grayscale["all"]["as_predicted"],
    }
    rows = [["", *columns]]
    for name in SHOWN:
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
    n, photographs = network["all"]["n"], network["all"]["photographs"]
    return "\n".join([*lines, f"Means over n = {n} images of {photographs} photographs [95 % interval]"])


def _figure(figure: dict[str, float | None], digits: int) -> str:
    text = f"{figure['value']:z.{digits}f}"
    if figure["low"] is None or figure["high"] is None:
        return text
    return f"{text} [{figure['low']:z.{digits}f}, {figure['high']:z.{digits}f}]"
