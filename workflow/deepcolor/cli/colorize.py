"""The commands `deepcolor colorize` and `deepcolor inspect`."""

import argparse
import os
import sys
from pathlib import Path

from deepcolor.cli.arguments import (
    add_photographs_and_model,
    count,
    factor,
    folder,
    most,
    quality,
    share,
    tiles,
)
from deepcolor.errors import DeepColorError, printable


def add_colorize(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `deepcolor colorize`."""
    parser.description = (
        "Colorize photographs. Their own luminance is kept at full resolution; "
        "colors are a guess, and every picture says in its metadata that a network made them."
    )
    add_photographs_and_model(parser)
    parser.add_argument(
        "--output",
        type=folder,
        default=Path("colorized"),
        help="folder for the colorized pictures (%(default)s)",
    )
    parser.add_argument("--overwrite", action="store_true", help="make again what is there already")
    parser.add_argument(
        "--saturation", type=factor, default=1.0, help="factor of the predicted chroma (%(default)s)"
    )
    parser.add_argument(
        "--vivid",
        type=share,
        nargs="?",
        const=1.0,
        default=0.0,
        metavar="V",
        help="for networks with color classes: 0 the most exact colors, 1 as vivid as photographs "
        "(%(default)s; 1 without a number)",
    )
    parser.add_argument(
        "--tiles",
        type=tiles,
        default=0,
        metavar="N",
        help="overlapping tiles along the shorter side; 0: the whole picture at once (%(default)s)",
    )
    parser.add_argument(
        "--flip-average", action="store_true", help="average with the mirror image's colors"
    )
    parser.add_argument("--keep-tint", action="store_true", help="keep the tint of sepia prints")
    parser.add_argument("--label", action="store_true", help="draw a small visible label in a corner")
    parser.add_argument(
        "--quality",
        type=quality,
        default=0,
        help="of JPEG and WebP, 1 to 100 (0: a JPEG file's own, else 95)",
    )
    parser.add_argument(
        "--most-megapixels", type=most, default=250.0, help="larger are refused (%(default)s)"
    )
    parser.add_argument("--threads", type=count, default=0, help="of the CPU (all)")
    signing = parser.add_argument_group("Content Credentials (C2PA), with a certificate of your own")
    signing.add_argument("--sign-with", type=Path, metavar="PEM", help="certificate chain")
    signing.add_argument("--sign-key", type=Path, metavar="PEM", help="its private key")
    signing.add_argument("--sign-algorithm", default="es256", help="of the key (%(default)s)")
    signing.add_argument("--timestamps", default="", metavar="URL", help="time-stamping service")
    parser.set_defaults(run=run_colorize)


def add_inspect(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `deepcolor inspect`."""
    parser.description = "Say whether, and by what, files were colorized, as their metadata have it."
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.set_defaults(run=run_inspect)


def run_colorize(args: argparse.Namespace) -> None:
    """Colorize, and say what has become of the photographs; exit code 1 if any failed."""
    if bool(args.sign_with) != bool(args.sign_key):
        raise DeepColorError("--sign-with and --sign-key go together; give both")
    from deepcolor.colorize import content_credentials
    from deepcolor.colorize.batch import colorize_files, report
    from deepcolor.colorize.batch_file import BatchOptions
    from deepcolor.colorize.inputs import SHEET
    from deepcolor.colorize.loading import open_network
    from deepcolor.colorize.settings import Settings

    signer = None
    if args.sign_with:
        signer = content_credentials.open_signer(
            args.sign_with, args.sign_key, args.sign_algorithm, args.timestamps
        )
    threads = args.threads or os.cpu_count() or 1
    network = open_network(args.model, threads)
    if args.vivid and network.predict_vivid is None:
        raise DeepColorError(
            f"--vivid needs a network with 'target: classes', and {args.model} is none; use --saturation"
        )
    for note in network.notes:
        print(f"colorize: {printable(note)}", flush=True)
    summary = colorize_files(
        args.photographs,
        args.output,
        network,
        Settings(
            saturation=args.saturation,
            vivid=args.vivid,
            tiles=args.tiles,
            flip_average=args.flip_average,
            keep_tint=args.keep_tint,
            label=args.label,
            quality=args.quality,
        ),
        BatchOptions(threads, args.overwrite, args.most_megapixels, signer),
    )
    report(summary, args.output / SHEET)


def run_inspect(args: argparse.Namespace) -> None:
    """Say what is known of files; exit code 1 if one cannot be read."""
    from deepcolor.colorize.inspection import inspect

    failed = False
    for path in args.files:
        try:
            print(printable(f"{path}: {inspect(path)}"), flush=True)
        except ValueError as error:
            failed = True
            print(printable(f"inspect: error: {path}: {error}"), file=sys.stderr)
    if failed:
        sys.exit(1)
