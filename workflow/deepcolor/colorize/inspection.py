"""Whether, and by what, a file was colorized: `deepcolor inspect`."""

from pathlib import Path

from deepcolor.colorize import xmp
from deepcolor.colorize.content_credentials import credentials


def inspect(path: Path) -> str:
    """One line on whether and by what a file was colorized.

    Raises:
        ValueError: The file is missing, broken, out of `bounds`, or no image.
    """
    return "; ".join(filter(None, [_marked(xmp.packet_of(path)), credentials(path)]))


def _marked(packet: bytes) -> str:
    noted = xmp.noted(packet)
    if noted:
        settings = ", ".join(f"{key} {value}" for key, value in xmp.settings_of(noted).items())
        return (
            f"colorized by {noted['Software']} with {noted.get('Model', 'an unnamed network')} "
            f"(SHA-256 {noted.get('ModelSHA256', 'not stated')}) at "
            f"{noted.get('Time', 'a time not stated')}; {settings}"
        )
    stated = xmp.source_type(packet)
    if stated in xmp.OF_NETWORKS:
        return (
            f"made or changed by a network, as it says ({stated.rpartition('/')[2]}); not by DeepColor"
        )
    if stated:
        return f"no mark of a network; its source is {stated.rpartition('/')[2]}, as it says"
    return "no mark; that does not prove that its colors are real"
