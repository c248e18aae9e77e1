"""The mark in every colorized file: XMP that says that a network has made its colors, and which.

The standard's term for a photograph with invented colors is `compositeWithTrainedAlgorithmicMedia`
(IPTC NewsCodes, digitalsourcetype). Beside it stand, in a namespace of our own, the network, its
checksum, the photograph's checksum, the settings and the time: enough to tell what a file is made of
without any other file.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from deepcolor.errors import first_line
from deepcolor.imaging import bounds

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COLORIZED = f"{SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
# Terms for media that a network has made, or had a part in.
OF_NETWORKS = {COLORIZED, f"{SOURCE_TYPES}trainedAlgorithmicMedia"}

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
OURS = "https://github.com/annatsv/deepcolor/colorized/1.0/"
PREFIXES = {"rdf": RDF, "x": META, "Iptc4xmpExt": IPTC, "deepcolor": OURS}
EXTENDED = "{http://ns.adobe.com/xmp/note/}HasExtendedXMP"
BEGIN = "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>"
END = "<?xpacket end='w'?>"

# Bytes and nested elements of a packet that is parsed. Histories of edits have up to some MB.
MAX_BYTES, MAX_DEPTH = 4_000_000, 100
# Held while the prefixes of one packet are registered, as ElementTree has one registry for all.
_registry = threading.Lock()

# What we note of a file, by attribute of our own namespace.
NOTED = ("Software", "Model", "ModelSHA256", "InputSHA256", "Settings", "Time")


def packet_of(path: Path) -> bytes:
    """Return the XMP packet of an image file; b"" if it has none.

    Raises:
        ValueError: The file is missing, broken, beyond `bounds`, or not an image.
    """
    try:
        with bounds.read_header(path) as image:
            packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    except OSError as error:
        raise ValueError((error.strerror or first_line(error)).lower()) from error
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def mark(packet: bytes, noted: Mapping[str, str]) -> bytes:
    """Put the mark into an XMP packet; what else it says stays.

    Args:
        packet: XMP packet of the photograph; b"" for none. One that is not `is_readable` is replaced.
        noted: The values of NOTED.

    Returns:
        A packet, UTF-8.
    """
    tree, prefixes = _parse(packet)
    if tree is None:
        tree = ElementTree.Element(f"{{{META}}}xmpmeta")
    rdf = tree if tree.tag == f"{{{RDF}}}RDF" else tree.find(f"{{{RDF}}}RDF")
    if rdf is None:
        rdf = ElementTree.SubElement(tree, f"{{{RDF}}}RDF")
    _forget(rdf)
    about = next((each.get(f"{{{RDF}}}about") for each in rdf if each.get(f"{{{RDF}}}about")), "")
    description = ElementTree.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": about or ""})
    description.set(f"{{{IPTC}}}DigitalSourceType", COLORIZED)
    description.set(f"{{{IPTC}}}AISystemUsed", "DeepColor")
    for name, value in noted.items():
        description.set(f"{{{OURS}}}{name}", value)
    return f"{BEGIN}{_serialized(tree, {**prefixes, **PREFIXES})}{END}".encode()


def is_readable(packet: bytes) -> bool:
    """Return whether a packet is XMP, within MAX_BYTES and MAX_DEPTH, and so is kept by `mark`."""
    return _parse(packet)[0] is not None


def source_type(packet: bytes) -> str:
    """The DigitalSourceType that an XMP packet states; "" where it states none."""
    return _values(packet, IPTC).get("DigitalSourceType", "")


def noted(packet: bytes) -> dict[str, str]:
    """What DeepColor has noted in an XMP packet, by NOTED; {} where it has not made the file."""
    found = _values(packet, OURS)
    return {name: found[name] for name in NOTED if name in found} if found.get("Software") else {}


def settings_of(noted: Mapping[str, str]) -> dict[str, object]:
    """The settings in a file's notes; {} where they cannot be read."""
    try:
        found = json.loads(noted.get("Settings", "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _values(packet: bytes, namespace: str) -> dict[str, str]:
    """The simple properties of a namespace, whether written as attributes or as elements."""
    tree, _ = _parse(packet)
    found: dict[str, str] = {}
    for each in tree.iter(f"{{{RDF}}}Description") if tree is not None else ():
        named = [*each.attrib.items(), *((child.tag, _text(child)) for child in each)]
        for name, value in named:
            if name.startswith(f"{{{namespace}}}") and value:
                found[name.partition("}")[2]] = value
    return found


def _text(element: ElementTree.Element) -> str:
    return (element.get(f"{{{RDF}}}resource") or element.text or "").strip()


def _forget(rdf: ElementTree.Element) -> None:
    """Take out what an earlier mark says."""
    # The last one says that a JPEG file has more XMP elsewhere, which is not kept.
    names = {f"{{{IPTC}}}DigitalSourceType", f"{{{IPTC}}}AISystemUsed", EXTENDED}
    for each in rdf.iter(f"{{{RDF}}}Description"):
        for name in [key for key in each.attrib if key in names or key.startswith(f"{{{OURS}}}")]:
            del each.attrib[name]
        for child in [
            child for child in each if child.tag in names or child.tag.startswith(f"{{{OURS}}}")
        ]:
            each.remove(child)
    for each in [each for each in rdf if not len(each) and set(each.attrib) <= {f"{{{RDF}}}about"}]:
        rdf.remove(each)


class _Builder(ElementTree.TreeBuilder):
    """Builds the tree of a packet, and notes its prefixes: some programs insist on them."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: dict[str, str] = {}
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        self._depth += 1
        if self._depth > MAX_DEPTH:  # Writing it again, ElementTree would recurse as deeply.
            raise ValueError("too many nested elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)

    def start_ns(self, prefix: str, uri: str) -> None:
        if prefix and not prefix.startswith(("xml", "ns")):
            self.prefixes[prefix] = uri

    def doctype(self, name: str, pubid: str, system: str) -> None:
        raise ValueError("XMP has no document type, which could define entities")


def _parse(packet: bytes) -> tuple[ElementTree.Element | None, dict[str, str]]:
    """Return the element of a packet, None of one that is not readable, and its prefixes."""
    builder = _Builder()
    if len(packet) > MAX_BYTES:
        return None, {}
    try:
        parser = ElementTree.XMLParser(target=builder)
        tree = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"), parser)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None, {}
    known = tree.tag in (f"{{{META}}}xmpmeta", f"{{{RDF}}}RDF")
    return (tree, builder.prefixes) if known else (None, {})


def _serialized(tree: ElementTree.Element, prefixes: Mapping[str, str]) -> str:
    """Return a tree as XML; the registry of prefixes stays as it was."""
    with _registry:
        registry = ElementTree._namespace_map  # type: ignore[attr-defined]
        before = dict(registry)
        try:
            for prefix, namespace in prefixes.items():
                ElementTree.register_namespace(prefix, namespace)
            return ElementTree.tostring(tree, "unicode")
        finally:
            registry.clear()
            registry.update(before)
