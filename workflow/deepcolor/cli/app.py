"""The command `deepcolor app`: a page on which networks can be tried."""

import argparse
import contextlib
import os
import webbrowser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from deepcolor.cli.arguments import TERMS, most, port
from deepcolor.config.bundled import BUNDLED_NETWORK
from deepcolor.errors import DeepColorError, printable

# Threads that answer: of a picture in work, those that wait, and one for the page itself.
THREADS = 4
CONNECTIONS = 32
IDLE = 30  # Seconds of an idle connection.
# Bytes that an answer has beside a picture, or that a request that is too large may have to be told so.
SPARE = 2**20
# Nothing of a request or an answer goes to temporary files.
NEVER = 2**40


def add_app(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `deepcolor app`."""
    parser.description = (
        "Serve a page on which pictures are colorized, one at a time, by the network that comes with "
        "DeepColor or one that was trained here. Nothing of a picture is kept."
    )
    parser.epilog = TERMS
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="folder of the runs (%(default)s)"
    )
    parser.add_argument(
        "--model",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="networks to choose from, .onnx or .keras, in place of all others",
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=port, default=8001, help="0 for any free one (%(default)s)")
    parser.add_argument(
        "--most-megapixels", type=most, default=50.0, metavar="N", help="of a picture (%(default)g)"
    )
    parser.add_argument(
        "--most-megabytes", type=most, default=50.0, metavar="N", help="of its file (%(default)g)"
    )
    parser.set_defaults(run=run_app)


def find_runs(results: Path, models: Sequence[Path]) -> dict[str, Path]:
    """Return the networks to choose from, by name: the bundled one, then runs, collapsed ones last.

    Args:
        results: Folder of the runs: of each, `export/model.onnx`, or `model.keras` where it has none;
            exported ones come first.
        models: Files that are taken instead, if there are any.

    Raises:
        DeepColorError: A file is not there, or of another kind.
    """
    for path in models:
        if not path.is_file():
            raise DeepColorError(f"--model {path}: there is no such file; name another")
        if path.suffix not in (".onnx", ".keras"):
            raise DeepColorError(f"--model {path}: name a .keras file, or an exported .onnx file")
    from deepcolor.colorize.inputs import natural_order

    found = list(dict.fromkeys(models))
    if not models:
        exported = sorted(results.glob("*/export/model.onnx"), key=lambda path: natural_order(str(path)))
        folders = {_run(path) for path in exported}
        trained = sorted(results.glob("*/model.keras"), key=lambda path: natural_order(str(path)))
        runs = [*exported, *(path for path in trained if _run(path) not in folders)]
        found = [BUNDLED_NETWORK, *sorted(runs, key=lambda path: _has_collapsed(_run(path)))]
    names = Counter(_run(path).name for path in found)
    return {
        name if (name := _run(path).name) and names[name] == 1 else str(path): path for path in found
    }


def _has_collapsed(run: Path) -> bool:
    """Return whether a run's card says that its training collapsed."""
    from deepcolor.files import read_json

    card = run / "model_card.json"
    content = read_json(card) if card.is_file() else {}
    return isinstance(content, dict) and bool(content.get("collapsed"))


def _run(path: Path) -> Path:
    """Return what a file's network is called after: its folder, or what it is called itself."""
    if path == BUNDLED_NETWORK:
        return path.parent
    folder = path.parent.parent if path.parent.name == "export" else path.parent
    return folder if path.name in ("model.onnx", "model.keras") else path.with_suffix("")


def run_app(args: argparse.Namespace) -> None:
    """Serve the page until SIGTERM or Ctrl-C."""
    runs = find_runs(args.results, args.model)
    from deepcolor.colorize.app import create_app
    from deepcolor.web import server

    listener = server.listen(args.host, args.port)
    stop = server.stop_when_told()
    server.return_freed_memory()
    app = create_app(
        runs,
        most_megabytes=args.most_megabytes,
        most_megapixels=args.most_megapixels,
        threads=os.cpu_count() or 1,
        names=(args.host.lower(),),
    )
    lines = [
        f"A page to try {len(runs)} network{'' if len(runs) == 1 else 's'}: {server.address(listener)}/",
        "Nothing of the pictures is kept",
        ""
        if server.is_for_this_machine(listener)
        else "warning: whoever reaches this machine can use the page, and pictures are not encrypted on "
        "their way; for a network that you trust",
        "Ctrl-C stops",
    ]
    print("\n".join(map(printable, filter(None, lines))), flush=True)
    if args.open:
        webbrowser.open(f"{server.address(listener)}/")
    server.run(
        app,
        listener,
        stop,
        connections=CONNECTIONS,
        idle=IDLE,
        threads=THREADS,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + SPARE,
        inbuf_overflow=NEVER,
        outbuf_overflow=NEVER,
        # A slow reader must not hold a thread: the whole answer waits in memory.
        outbuf_high_watermark=NEVER,
        recv_bytes=2**16,
        # Who no longer waits is noticed.
        channel_request_lookahead=1,
    )
    with contextlib.suppress(OSError):  # The terminal may be gone.
        print("Stopped; nothing was kept", flush=True)
