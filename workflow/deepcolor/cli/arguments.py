"""Arguments, and kinds of them, that commands share, for argparse."""

import argparse
from pathlib import Path

from deepcolor.config.bundled import BUNDLED_NETWORK

TERMS = (
    "The MIT license covers the code of DeepColor. The network that comes with it was trained on "
    "photographs most of which may be used for research only: see LICENSE and MODEL_CARD.md in "
    "deepcolor/models/bundled."
)


def add_photographs_and_model(parser: argparse.ArgumentParser, photographs: str = "+") -> None:
    """Give a parser `photographs`, as many as argparse's `nargs` says, and `--model`."""
    parser.add_argument(
        "photographs", nargs=photographs, metavar="PHOTOGRAPH", help="files, folders, patterns"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=BUNDLED_NETWORK,
        help="folder of a run, its model.keras, or an exported model.onnx (the network that comes with "
        "DeepColor)",
    )
    parser.epilog = TERMS


def port(text: str) -> int:
    """A port, 0 to 65535."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; name one from 0 to 65535")
    return int(text)


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 0 on")
    return int(text)


def tiles(text: str) -> int:
    """A number of tiles, 0 to 64."""
    value = count(text)
    if value > 64:
        raise argparse.ArgumentTypeError(f"{text} is more than 64")
    return value


def folder(text: str) -> Path:
    """A folder; an empty text, such as of a variable that is not set, is none."""
    if not text:
        raise argparse.ArgumentTypeError("name a folder")
    return Path(text)


def factor(text: str) -> float:
    """A number from 0 to 1000."""
    value = _number(text)
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to 1000")
    return value


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(
            f"{text} is no number from 0 to 1; without a number, write the option last"
        )
    return value


def most(text: str) -> float:
    """A limit: a number above 0, up to 100,000."""
    value = _number(text)
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0 and up to 100000")
    return value


def quality(text: str) -> int:
    """A quality of pictures, 0 to 100."""
    if not text.isdecimal() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 0 to 100")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1
