"""Content Credentials (C2PA), with a certificate of one's own: the last thing that is done to a file."""

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from deepcolor.colorize.read import Photograph
from deepcolor.colorize.xmp import COLORIZED
from deepcolor.errors import DeepColorError, first_line
from deepcolor.version import VERSION

MEDIA = {
    "GIF": "image/gif",
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
}
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

    def sign(self, path: Path, source: Path, photograph: Photograph) -> None:
        """Sign a colorized file in place, and say what it was made of.

        Args:
            path: The file.
            source: The photograph's file, which becomes the parent ingredient, if its format can.
            photograph: What was read of it.

        Raises:
            ValueError: It cannot be signed.
        """
        parent = MEDIA.get(photograph.source_format)
        signed = path.with_name(f"{path.name}.signed")
        try:
            with (
                open(path, "rb") as unsigned,
                open(signed, "wb+") as file,
                open(source, "rb") as made_of,
            ):
                self._sign(unsigned, file, MEDIA[photograph.format], (source.name, parent, made_of))
            os.replace(signed, path)
        finally:
            signed.unlink(missing_ok=True)

    def check(self) -> None:
        """Sign a tiny picture in memory.

        Raises:
            ValueError: It cannot be signed.
        """
        picture = io.BytesIO()
        Image.new("RGB", (1, 1)).save(picture, "PNG")
        picture.seek(0)
        self._sign(picture, io.BytesIO(), MEDIA["PNG"], ("", None, picture))

    def _sign(
        self,
        unsigned: BinaryIO,
        signed: BinaryIO,
        media: str,
        made_of: tuple[str, str | None, BinaryIO],
    ) -> None:
        import c2pa

        title, parent, content = made_of
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["photograph"]}}
        edited = {"action": "c2pa.edited", "digitalSourceType": COLORIZED}
        # Every manifest must begin with what was opened or created.
        actions = [opened, edited] if parent else [{**edited, "action": "c2pa.created"}]
        manifest = {
            "claim_generator_info": [{"name": "DeepColor", "version": VERSION}],
            "format": media,
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
        }
        try:
            info = c2pa.C2paSignerInfo(
                self.algorithm.encode(), self.certificates, self.key, self.timestamps.encode() or None
            )
            with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(manifest)) as builder:
                if parent:
                    what = {"title": title, "relationship": "parentOf", "label": "photograph"}
                    builder.add_ingredient(json.dumps(what), parent, content)
                builder.sign(signer, media, unsigned, signed)
        except c2pa.C2paError as error:
            raise ValueError(f"it cannot be signed ({first_line(error)})") from error


def open_signer(certificates: Path, key: Path, algorithm: str, timestamps: str) -> Signer:
    """Read what is needed to sign, and try it.

    Args:
        certificates: PEM file, the signer's own certificate first.
        key: PEM file.
        algorithm: See `Signer`.
        timestamps: See `Signer`.

    Raises:
        DeepColorError: A file cannot be read or does not sign, or the package c2pa is not installed.
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
    signer = Signer(contents[0], contents[1], algorithm, timestamps)
    try:
        signer.check()
    except ValueError as error:
        raise DeepColorError(f"--sign-with {certificates}, --sign-key {key}: {error}") from error
    return signer


def credentials(path: Path) -> str:
    """What the Content Credentials of a file say of its signature; "" where it has none.

    Without the package c2pa nothing is found.
    """
    try:
        import c2pa
    except ImportError:
        return ""
    try:
        with c2pa.Reader(path) as reader:
            found = json.loads(reader.json())
    except c2pa.C2paError:
        return ""
    signature = found["manifests"][found["active_manifest"]].get("signature_info", {})
    faults = [each["code"] for each in found.get("validation_status", [])]
    said = f" ({', '.join(faults)})" if faults else ""
    return (
        f"Content Credentials by {signature.get('common_name') or signature.get('issuer')}: "
        f"{found['validation_state'].lower()}{said}"
    )
