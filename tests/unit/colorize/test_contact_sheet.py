"""The contact sheet beside colorized pictures: small pictures, addresses, and what it says."""

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from deepcolor.colorize import contact_sheet
from deepcolor.colorize.batch import colorize_files
from deepcolor.colorize.batch_file import BatchOptions
from deepcolor.colorize.loading import open_network
from deepcolor.colorize.settings import Settings
from PIL import Image
from support import sample_photographs
from support.contact_sheets import HOSTILE, TRAINED_ON, entry, write_sheet
from support.html_reader import Page
from support.tiny_onnx import write_onnx


def rendered(*entries: dict[str, object]) -> str:
    return contact_sheet.render(entries, TRAINED_ON)


def addresses(source: str, tag: str, name: str) -> list[str]:
    return [value for each, key, value in Page(source).attributes if (each, key) == (tag, name)]


def names(source: str) -> list[str]:
    """The files that the page leads to, in its order."""
    return [os.fsdecode(unquote_to_bytes(each)) for each in addresses(source, "a", "href")]


def test_every_address_leads_to_a_file(tmp_path: Path) -> None:
    page = write_sheet(tmp_path, [entry(name, number) for number, name in enumerate(HOSTILE)])
    source = page.read_text("utf-8")
    assert sorted(names(source)) == sorted(HOSTILE)
    found = addresses(source, "a", "href") + addresses(source, "img", "src")
    assert len(found) == 3 * len(HOSTILE)
    for address in found:
        assert re.fullmatch(r"(?!/)[A-Za-z0-9%/._~-]+", address)
        path = tmp_path / os.fsdecode(unquote_to_bytes(address))
        assert path.is_file() and Image.open(path).size[0] > 0
    for name in HOSTILE:
        pair = contact_sheet.read_pair(tmp_path, name)
        assert pair is not None and np.ptp(pair[0].astype(int), axis=-1).max() < 9


def test_names_are_told_apart(tmp_path: Path) -> None:
    long = ["x" * 230 + f"{number}.jpg" for number in range(2)] + ["y/" + "x" * 230 + "0.jpg"]
    for number, name in enumerate(long):
        shade = np.full((4, 4, 3), 100 * number, np.uint8)
        contact_sheet.write_pair(tmp_path, name, shade, shade)
    for number, name in enumerate(long):
        pair = contact_sheet.read_pair(tmp_path, name)
        assert pair is not None and abs(int(pair[0].mean()) - 100 * number) < 3
    assert contact_sheet.read_pair(tmp_path, "other.jpg") is None


def test_nothing_of_a_name_becomes_markup() -> None:
    source = rendered(*(entry(name, number) for number, name in enumerate(HOSTILE)))
    page = Page(source)
    assert page.tags.count("script") == 2 and "<script>alert" not in source
    assert "<six>" not in source and "Trained for 30 epochs on <six> photographs." in page.text
    assert "caf\ufffd.jpg" in page.text and "Zoë in Łódź 東京.png" in page.text


def test_the_page_needs_nothing_but_its_pictures() -> None:
    source = rendered(entry("a.jpg"))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"(?m)^ *//.*", "", source))
    assert "default-src 'none'" in source and "img-src 'self'" in source
    tags = set(Page(source).tags)
    assert not tags & {"iframe", "object", "embed", "base"}
    assert not [name for _, name, _ in Page(source).attributes if name.startswith("on")]


def test_it_is_sorted_as_people_sort() -> None:
    unsorted = ["b.jpg", "IMG_10.jpg", "img_9.jpg", "IMG_9.jpg", "a/2.jpg", "a/10.jpg", "1.jpg", "B.jpg"]
    assert names(rendered(*(entry(name) for name in unsorted))) == [
        *("1.jpg", "a/2.jpg", "a/10.jpg", "B.jpg", "b.jpg", "IMG_9.jpg", "img_9.jpg", "IMG_10.jpg")
    ]


def test_what_it_says() -> None:
    page = Page(rendered(entry("a.jpg", 1), entry("b.jpg", 2)))
    assert "2 photographs, each before and after they were colorized by unet_30." in page.text
    assert "The colors are a guess." in page.text and " ".join(TRAINED_ON) in page.text
    assert page.text.count("It had colors; they are replaced") == 1
    assert "Colorfulness 37.7" in page.text and ", by unet_30" not in page.text
    page = Page(rendered(entry("a.jpg"), entry("b.jpg", model="")))
    assert "they were colorized." in page.text
    assert ", by unet_30" in page.text and ", by an unnamed network" in page.text
    assert "1 photograph, each before and after it was colorized" in Page(rendered(entry("a.jpg"))).text
    assert "1,001 photographs" in Page(rendered(*(entry(f"{n}.jpg") for n in range(1001)))).text


@pytest.mark.parametrize(
    ("preview", "ratio"), [([320, 240], "1.333"), ([320, 10], "4"), ([10, 320], "0.55")]
)
def test_pictures_have_their_place_before_they_come(preview: list[int], ratio: str) -> None:
    source = rendered(entry("a.jpg", preview=preview))
    assert source.count(f'width="{preview[0]}" height="{preview[1]}" loading="lazy"') == 2
    assert f'<li style="--ratio: {ratio}"' in source


def test_entries_of_earlier_versions_are_shown() -> None:
    old = entry("a.jpg")
    del old["preview"], old["notes"]
    assert names(rendered(old)) == ["a.jpg"]


def test_a_folder_has_a_sheet(tmp_path: Path) -> None:
    album = tmp_path / "album"
    (album / "one #1").mkdir(parents=True)
    for name in ("one #1/what? 100%.jpg", f"{'long' * 58}.jpg"):
        Image.fromarray(sample_photographs.gray(400, 300)).save(album / name)
    network = open_network(write_onnx(tmp_path / "unet_30" / "model.onnx"), 1)
    output = tmp_path / "colorized"
    summary = colorize_files([str(album)], output, network, Settings(), BatchOptions())
    assert summary.failed == {} and [each["preview"] for each in summary.done] == [[320, 240]] * 2
    source = (output / "contact_sheet.html").read_text("utf-8")
    for address in addresses(source, "img", "src") + addresses(source, "a", "href"):
        assert (output / os.fsdecode(unquote_to_bytes(address))).is_file()
