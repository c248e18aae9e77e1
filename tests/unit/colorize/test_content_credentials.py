"""Content Credentials by a certificate of the test's own, read again by the C2PA library."""

import json
from pathlib import Path

import c2pa
import pytest
from deepcolor.colorize import xmp
from deepcolor.colorize.batch import colorize_files
from deepcolor.colorize.batch_file import BatchOptions
from deepcolor.colorize.content_credentials import Signer, open_signer
from deepcolor.colorize.inspection import inspect
from deepcolor.colorize.loading import open_network
from deepcolor.colorize.settings import Settings
from deepcolor.errors import DeepColorError
from PIL import Image
from support import sample_photographs
from support.certificates import write_certificates
from support.tiny_onnx import write_onnx


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def signer(certificates: tuple[Path, Path]) -> Signer:
    return open_signer(*certificates, "es256", "")


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Path:
    """Colorized and signed files of every format."""
    folder = tmp_path_factory.mktemp("signed")
    album = folder / "album"
    album.mkdir()
    for suffix in ("jpg", "png", "tif", "webp", "gif", "bmp"):
        Image.fromarray(sample_photographs.gray()).save(album / f"a.{suffix}")
    network = open_network(write_onnx(folder / "unet_30" / "export" / "model.onnx"), 1)
    summary = colorize_files(
        [str(album)], folder / "out", network, Settings(), BatchOptions(signer=signer)
    )
    assert not summary.failed
    return folder / "out"


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.gif.png", "a.bmp.png"])
def test_a_file_says_what_was_done_and_by_whom(signed: Path, name: str) -> None:
    with c2pa.Reader(signed / name) as reader:
        found = json.loads(reader.json())
    # The signature holds; who has signed is known to nobody but this test.
    assert found["validation_state"] == "Valid"
    assert {each["code"] for each in found["validation_status"]} == {"signingCredential.untrusted"}
    manifest = found["manifests"][found["active_manifest"]]
    assert manifest["signature_info"]["common_name"] == "Test Signer"
    (actions,) = (each for each in manifest["assertions"] if each["label"].startswith("c2pa.actions"))
    last = actions["data"]["actions"][-1]
    assert last["digitalSourceType"] == xmp.COLORIZED
    if name == "a.bmp.png":  # A format that cannot be an ingredient.
        assert last["action"] == "c2pa.created"
    else:
        assert last["action"] == "c2pa.edited"
        (parent,) = manifest["ingredients"]
        assert parent["title"] == name.removesuffix(".png" if name.count(".") > 1 else "")
        assert parent["relationship"] == "parentOf"
    # What was written before is still there: signing is the last thing that is done.
    assert "colorized by DeepColor" in inspect(signed / name)
    assert "Content Credentials by Test Signer: valid" in inspect(signed / name)
    Image.open(signed / name).load()


def test_a_change_after_signing_is_found(signed: Path, tmp_path: Path) -> None:
    content = bytearray((signed / "a.png").read_bytes())
    content[-30] ^= 1
    (tmp_path / "a.png").write_bytes(content)
    assert "invalid" in inspect(tmp_path / "a.png") and "dataHash.mismatch" in inspect(
        tmp_path / "a.png"
    )


def test_what_cannot_sign_is_said_before_anything_is_done(
    certificates: tuple[Path, Path], tmp_path: Path
) -> None:
    chain, key = certificates
    with pytest.raises(DeepColorError, match=r"--sign-key .*gone.pem cannot be read \(No such file"):
        open_signer(chain, tmp_path / "gone.pem", "es256", "")
    for given in ((key, key, "es256"), (chain, chain, "es256"), (chain, key, "none")):
        with pytest.raises(DeepColorError, match="it cannot be signed") as error:
            open_signer(*given, "")
        assert "\n" not in str(error.value)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(DeepColorError, match="it cannot be signed"):
        open_signer(chain, write_certificates(other)[1], "es256", "")
