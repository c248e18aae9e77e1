"""Content Credentials (C2PA), with a certificate of one's own: the last thing that is done to a file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from deepcolor.colorize.marking import COLORIZED
from deepcolor.errors import DeepColorError, first_line
from deepcolor.release import VERSION

MEDIA = {"JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp"}
INSTALL = "python envs/install_clients.py --client c2pa"


@dataclass(frozen=True)
class Signer:
    """Signs files.

    Attributes:
        certificates: The chain, PEM, the signer's own first.
        key: Its private key, PEM, PKCS #8.
        algorithm: Such as "es256", see the C2PA specification, 13.2.
        timestamps: Address of a time-stamping service (RFC 3161); "" for none.
    """

    certificates: bytes
    key: bytes
    algorithm: str
    timestamps: str

    def sign(self, path: Path, source: Path, format: str) -> None:
        """Sign a colorized file in place, and say what it was made of.

        Args:
            path: The file.
            source: The photograph, which becomes its parent ingredient.
            format: A key of MEDIA.

        Raises:
            ValueError: It cannot be signed.
        """
        import c2pa

        signed = path.with_name(f"{path.name}.signed")
        manifest = {
            "claim_generator_info": [{"name": "DeepColor", "version": VERSION}],
            "format": MEDIA[format],
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {
                        "actions": [
                            {"action": "c2pa.opened", "parameters": {"ingredientIds": ["photograph"]}},
                            {"action": "c2pa.color_adjustments", "digitalSourceType": COLORIZED},
                        ]
                    },
                }
            ],
        }
        try:
            info = c2pa.C2paSignerInfo(
                self.algorithm.encode(), self.certificates, self.key, self.timestamps.encode() or None
            )
            with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(manifest)) as builder:
                ingredient = {"title": source.name, "relationship": "parentOf", "label": "photograph"}
                with open(source, "rb") as photograph:
                    builder.add_ingredient(json.dumps(ingredient), MEDIA[format], photograph)
                with open(path, "rb") as unsigned, open(signed, "wb+") as file:
                    builder.sign(signer, MEDIA[format], unsigned, file)
            os.replace(signed, path)
        except c2pa.C2paError as error:
            raise ValueError(f"it cannot be signed ({first_line(error)})") from error
        finally:
            signed.unlink(missing_ok=True)


def open_signer(certificates: Path, key: Path, algorithm: str, timestamps: str) -> Signer:
    """Read what is needed to sign.

    Raises:
        DeepColorError: A file cannot be read, or the package c2pa is not installed.
    """
    try:
        import c2pa  # noqa: F401
    except ImportError as error:
        raise DeepColorError(f"--sign-with needs the package c2pa; type: {INSTALL}") from error
    contents = []
    for option, path in (("--sign-with", certificates), ("--sign-key", key)):
        try:
            contents.append(path.read_bytes())
        except OSError as error:
            raise DeepColorError(f"{option} {path} cannot be read ({error.strerror})") from error
    return Signer(contents[0], contents[1], algorithm, timestamps)
