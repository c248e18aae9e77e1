"""The mark in XMP: beside what a packet says already, and read again."""

from xml.etree import ElementTree

import pytest
from deepcolor.colorize import xmp
from deepcolor.colorize.inspection import inspect
from PIL import Image, PngImagePlugin

NOTED = {name: f"<{name}> & “more”" for name in xmp.NOTED}

OTHERS = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="uuid:photo" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4">
<dc:subject><rdf:Bag><rdf:li>Grandmother</rdf:li></rdf:Bag></dc:subject></rdf:Description>
<rdf:Description rdf:about="uuid:photo" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<Iptc4xmpExt:DigitalSourceType>{type}</Iptc4xmpExt:DigitalSourceType></rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end='w'?>"""


def test_what_is_noted_is_read_again() -> None:
    packet = xmp.mark(b"", NOTED)
    assert xmp.noted(packet) == NOTED
    assert xmp.source_type(packet) == xmp.COLORIZED
    assert xmp.COLORIZED.endswith("/compositeWithTrainedAlgorithmicMedia")


def test_what_a_packet_says_stays_and_an_old_mark_goes() -> None:
    old = OTHERS.replace("{type}", f"{xmp.SOURCE_TYPES}negativeFilm").encode()
    assert xmp.source_type(old).endswith("negativeFilm") and xmp.noted(old) == {}
    once = xmp.mark(old, NOTED)
    twice = xmp.mark(once, {**NOTED, "Model": "other"})
    text = twice.decode()
    assert 'xmp:Rating="4"' in text and "<rdf:li>Grandmother</rdf:li>" in text and "dc:subject" in text
    assert text.count("uuid:photo") == 2  # All of it is about one thing.
    assert text.count("DigitalSourceType") == 1 and "negativeFilm" not in text
    assert xmp.noted(twice)["Model"] == "other" and text.count("deepcolor:Model=") == 1


@pytest.mark.parametrize(
    "broken",
    [b"nonsense", b"<a/>", b"<x:xmpmeta", b"<?xml version='1.0' encoding='none'?><a/>", b"\xff"],
)
def test_a_broken_packet_is_replaced(broken: bytes) -> None:
    assert xmp.noted(broken) == {} and xmp.source_type(broken) == ""
    assert xmp.noted(xmp.mark(broken, NOTED)) == NOTED


def test_entities_are_not_expanded_without_end() -> None:
    lines = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    bomb = f"<!DOCTYPE x [{''.join(lines)}]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a9;</x:xmpmeta>"
    assert xmp.noted(xmp.mark(bomb.encode(), NOTED)) == NOTED


@pytest.mark.parametrize(
    ("type", "said"),
    [
        ("compositeWithTrainedAlgorithmicMedia", "made or changed by a network, as it says"),
        ("trainedAlgorithmicMedia", "made or changed by a network, as it says"),
        ("negativeFilm", "no mark of a network; its source is negativeFilm"),
        ("", "no mark; that does not prove that its colors are real"),
    ],
)
def test_files_of_others_are_inspected(tmp_path: object, type: str, said: str) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "picture.png"
    info = PngImagePlugin.PngInfo()
    if type:
        info.add_itxt("XML:com.adobe.xmp", OTHERS.replace("{type}", xmp.SOURCE_TYPES + type))
    Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    assert inspect(path).startswith(said)


@pytest.mark.parametrize(
    "content",
    [b"<a>" * 5000 + b"</a>" * 5000, b"<a>" * 200_000, b"<a/>" * (xmp.MAX_BYTES // 4)],
    ids=["nested", "nested and cut", "long"],
)
def test_a_packet_out_of_bounds_is_replaced(content: bytes) -> None:
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + content + b"</x:xmpmeta>"
    assert not xmp.is_readable(packet)
    assert xmp.noted(xmp.mark(packet, NOTED)) == NOTED


def test_entities_are_not_read_at_all() -> None:
    packet = b"<!DOCTYPE x [<!ENTITY a 'b'>]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a;</x:xmpmeta>"
    assert not xmp.is_readable(packet)


def test_prefixes_of_one_packet_are_not_kept_for_the_next() -> None:
    before = dict(ElementTree._namespace_map)  # type: ignore[attr-defined]
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/' xmlns:own='of:one' own:a='1'/>"
    assert b'xmlns:own="of:one"' in xmp.mark(packet, NOTED)
    assert ElementTree._namespace_map == before  # type: ignore[attr-defined]
    assert b"own:" not in xmp.mark(
        packet.replace(b"xmlns:own", b"xmlns:else").replace(b"own:a", b"else:a"), NOTED
    )
