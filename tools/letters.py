"""Renders the embedded letters (chapter 10) anew: capitals of free fonts, from packages of Debian, which must be reachable.

    python tools/letters.py

A face is left out that names no free licence in its own name table, lacks a capital, does not look Latin, does not fit
the frame, or repeats another; families that share a look count as one. What is left goes into ``aae_core/data``:
``letters.npy.xz``, and ``letters.csv``, a line a face with its package and the package's version. It needs ``apt-get``, ``dpkg-deb`` and fontTools, which comes with matplotlib.
"""

from __future__ import annotations

import csv
import lzma
import re
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from PIL import Image, ImageDraw, ImageFont
from scipy.sparse.csgraph import connected_components

OUT = Path(__file__).parents[1] / "aae_core" / "data"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PACKAGES = """
texlive-fonts-extra fonts-lato fonts-open-sans fonts-cantarell fonts-dancingscript fonts-dosis fonts-jura fonts-karla
fonts-lobster fonts-lobstertwo fonts-play fonts-quicksand fonts-comfortaa fonts-league-spartan fonts-manrope
fonts-sora fonts-bebas-neue fonts-vollkorn fonts-yanone-kaffeesatz fonts-yrsa-rasa fonts-goudybookletter
fonts-prociono fonts-junction fonts-lindenhill fonts-kaushanscript fonts-leckerli-one fonts-arapey fonts-cherrybomb
fonts-firacode fonts-jetbrains-mono fonts-monoid fonts-league-mono fonts-courier-prime fonts-b612 fonts-clear-sans
fonts-dejavu-core fonts-dejavu-extra fonts-croscore fonts-crosextra-caladea fonts-inter fonts-opendyslexic
fonts-roboto-slab fonts-sil-andika fonts-sil-charis fonts-sil-gentiumplus fonts-smiley-sans fonts-solide-mirage
fonts-compagnon fonts-millimetre fonts-routed-gothic fonts-tuffy fonts-texgyre fonts-fanwood fonts-agave fonts-3270
fonts-essays1743 fonts-isabella fonts-georgewilliams fonts-averia-gwf fonts-averia-sans-gwf fonts-averia-serif-gwf
fonts-century-catalogue fonts-comic-neue fonts-elstob fonts-fantasque-sans fonts-go fonts-klaudia-berenika
fonts-levien-museum fonts-okolaks fonts-opendin fonts-radisnoir fonts-train fonts-oxygen fonts-bwht fonts-breip
fonts-gnutypewriter fonts-lemonada fonts-noto-core fonts-adf-switzera fonts-adf-verana fonts-senamirmir-washra
fonts-ricty-diminished fonts-stick fonts-reggae fonts-rocknroll fonts-yusei-magic fonts-dotgothic16 fonts-klee
fonts-sawarabi-gothic
"""
"""Names of packages, in the order in which a face is the first of its copies."""
SIDE, CAPITAL, LEAST, FINE = 28, 18, 15, 8
"""An image's side and an H's height, in pixels, and points to a pixel and side, whose mean the pixel is."""
LEVELS = 16
"""Greys that are kept, so that two pixels share a byte."""
LICENCES = {
    "SIL Open Font License": r"open ?font licen|sil\.org/\S*o[ft][fl]\b|\bofl\b",
    "Apache License 2.0": r"apache licen|apache\.org/licen",
    "GUST Font License": r"gust font licen",
    "LaTeX Project Public License": r"latex project public",
    "Bitstream Vera licence": r"vera licen|fonts are \S+ bitstream|bitstream vera",
    "MIT License": r"mit licen|x11 licen|licenses/mit|obtaining a copy of this software|obtaining a copy of this font",
    "BSD licence": r"redistribution and use in source and binary forms",
    "CC BY": r"creativecommons\.org/licenses/by/",
    "public domain": r"public domain|creativecommons\.org/publicdomain",
}
"""Free licences without a copyleft on what is made with a font, and what a name table says of them."""
NOT_FREE = r"non-?commercial|personal use|nearly free"
MEMBER = (
    r"sans|serif|mono|slab|code|display|text|book|caption|subhead|deck|poster|math|sc|pro|std|"
    r"lt|adf|cond|condensed|compressed|narrow|extended|expanded|wide|thin|hairline|extralight|"
    r"ultralight|light|semilight|demi|semi|extra|ultra|regular|roman|medium|semibold|demibold|"
    r"bold|extrabold|black|heavy|italic|oblique|alternates|smallcaps|unicode|rounded|soft|tight|"
    r"cf|o"
)
"""Words of a family's name that name a member of it; the family is what stands before the first."""
ALIKE = 0.003
"""Mean squared difference a pixel, in [0, 1], below which two faces' alphabets count as one."""
FEWEST = 6
"""How many of a face's letters must look most like the mean of that letter: fewer have ornaments, other scripts, lower case."""


@dataclass
class Face:
    """A face: its names, its licence, its letters ``uint8`` (n, 28, 28), white on black, in 0 … :data:`LEVELS` − 1, and its package's version."""

    package: str
    family: str
    style: str
    licence: str
    images: np.ndarray
    version: str = ""


def fonts(package: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The version of a package of Debian with each of its font files, in the order of their paths; it is not installed."""
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (deb,) = folder.glob(f"{package}_*.deb")
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as packed,
        tarfile.open(fileobj=packed.stdout, mode="r|") as files,
    ):
        found = {m.name: files.extractfile(m).read() for m in files if m.isfile() and m.name.endswith((".otf", ".ttf"))}
    deb.unlink()
    version = deb.name.split("_")[1].replace("%3a", ":")
    yield from ((version, found[name]) for name in sorted(found))


def read(package: str, font: bytes, version: str = "", letters: str = LETTERS) -> Face | None:
    """The face of a font file with its `letters`, or None where it may not or cannot be used."""
    try:
        with TTFont(BytesIO(font), lazy=True) as tables:
            names, has = tables["name"], set(tables.getBestCmap() or ())
    except (TTLibError, KeyError, AssertionError):
        return None
    said = {k: " ".join((names.getDebugName(k) or "").split()) for k in (0, 1, 2, 13, 14, 16, 17)}
    family, style = said[16] or said[1], said[17] or said[2]
    terms = " ".join(said[k] for k in (0, 13, 14))  # copyright, licence, its address
    licence = next((name for name, words in LICENCES.items() if re.search(words, terms, re.I)), None)
    if licence is None or re.search(NOT_FREE, terms, re.I) or not has.issuperset(map(ord, letters + "H")):
        return None
    images = drawn(font, letters)
    return None if images is None else Face(package, family, style, licence, images, version)


def drawn(font: bytes, letters: str = LETTERS) -> np.ndarray | None:
    """The `letters` of a font, ``uint8`` (n, 28, 28), or None where one is empty or does not fit.

    One scale serves all: an H is 18 pixels high, or as much less, down to 15, as brings the largest letter into the frame. All stand on
    one line, each centred from left to right.
    """
    try:
        sample = ImageFont.truetype(BytesIO(font), 1000, layout_engine=ImageFont.Layout.BASIC)
        boxes = np.array([sample.getbbox(letter, anchor="ls") for letter in letters])
        height = -sample.getbbox("H", anchor="ls")[1]
    except OSError:
        return None
    left, top, right, bottom = boxes.T
    if height < 100 or (right <= left).any() or (bottom <= top).any():
        return None
    # In units of the font a pixel: H stands in the middle, so what goes beyond it has half of the rest above and below.
    beyond = max(bottom.max(), -top.min() - height)
    largest = max(height / CAPITAL, (right - left).max() / SIDE, (height + 2 * beyond) / SIDE)
    if height / largest < LEAST:
        return None
    size = 1000 * FINE / largest
    pen = ImageFont.truetype(BytesIO(font), size, layout_engine=ImageFont.Layout.BASIC)
    line = round(FINE * (SIDE + height / largest) / 2)
    images = []
    for letter, middle in zip(letters, (left + right) / 2, strict=True):
        fine = Image.new("L", (SIDE * FINE, SIDE * FINE))
        at = SIDE * FINE / 2 - middle * size / 1000
        ImageDraw.Draw(fine).text((at, line), letter, 255, pen, anchor="ls")
        images.append(fine.reduce(FINE))
    images = np.stack([np.asarray(image) for image in images])
    return np.rint(images / 255 * (LEVELS - 1)).astype(np.uint8)


def name_of(family: str) -> str:
    """The family that a name belongs to: "IBM Plex Sans Condensed" is of "ibm plex"."""
    words = re.findall(r"[^\W\d_]+", family.lower())
    n = next((k for k, word in enumerate(words) if k and re.fullmatch(MEMBER, word)), len(words))
    return " ".join(words[:n]) or family.lower()


def distances(faces: list[Face]) -> np.ndarray:
    """Mean squared difference a pixel of each two alphabets, (n, n), pixels in [0, 1]."""
    x = np.stack([each.images.ravel() for each in faces]).astype(np.float32) / (LEVELS - 1)
    square = (x * x).sum(1)
    return np.maximum(square[:, None] + square - 2 * x @ x.T, 0) / x.shape[1]


def latin(faces: list[Face]) -> list[Face]:
    """The faces of which most letters correlate with the mean of that letter, over all faces, more than with another's."""
    x = np.stack([each.images for each in faces]).reshape(len(faces), len(faces[0].images), -1).astype(np.float32)
    x -= x.mean(2, keepdims=True)
    x /= np.linalg.norm(x, axis=2, keepdims=True)
    right = ((x @ x.mean(0).T).argmax(2) == np.arange(x.shape[1])).sum(1)
    return [each for each, n in zip(faces, right, strict=True) if n >= FEWEST]


def families(faces: list[Face], apart: np.ndarray) -> list[str]:
    """The name of each face's family; families of which two faces are alike are one, under the commonest of their names."""
    names = np.array([name_of(each.family) for each in faces])
    distinct, number = np.unique(names, return_inverse=True)
    linked = np.zeros((len(distinct), len(distinct)), bool)
    a, b = np.nonzero(apart < ALIKE)
    linked[number[a], number[b]] = True
    group = connected_components(linked, directed=False)[1][number]
    commonest = {k: Counter(sorted(names[group == k])).most_common(1)[0][0] for k in set(group)}
    return [str(commonest[k]) for k in group]


def without_copies(apart: np.ndarray) -> list[int]:
    """Which faces differ from all those before them."""
    kept: list[int] = []
    for k, row in enumerate(apart):
        if not kept or row[kept].min() >= ALIKE:
            kept.append(k)
    return kept


def write(faces: list[Face], out: Path) -> None:
    """Writes ``letters.npy.xz``: images (faces, 26, 28, 14), two pixels a byte; and ``letters.csv``: a line a face."""
    apart = distances(faces)
    names, kept = families(faces, apart), without_copies(apart)
    pixels = np.stack([faces[k].images for k in kept])
    with lzma.open(
        out / "letters.npy.xz", "wb", preset=9 | lzma.PRESET_EXTREME
    ) as file:  # a fifth less than zip makes of it
        np.save(file, pixels[..., ::2] << 4 | pixels[..., 1::2])
    with (out / "letters.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["family", "face", "style", "licence", "package", "version"])
        for name, face in ((names[k], faces[k]) for k in kept):
            lines.writerow([name, face.family, face.style, face.licence, face.package, face.version])
    print(f"{len(kept):,} faces of {len({names[k] for k in kept})} families; {len(faces) - len(kept):,} were copies")


def main() -> None:
    """Fetches, renders and writes."""
    with tempfile.TemporaryDirectory() as folder:
        found = [
            read(package, font, version)
            for package in PACKAGES.split()
            for version, font in fonts(package, Path(folder))
        ]
    write(latin([each for each in found if each is not None]), OUT)


if __name__ == "__main__":
    main()
