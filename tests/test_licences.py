"""All that ships has a licence that lets anyone use it and pass it on."""

from __future__ import annotations

from licences import FREE, NOT_OURS, ROOT, parts


def test_all_that_ships_has_a_free_licence():
    found = parts()
    assert [part for part in found if not FREE.search(part.licence)] == []
    assert {"torch", "numpy", "sphinx-book-theme"} <= {part.name for part in found}
    assert not any(NOT_OURS.match(part.name) for part in found)


def test_every_file_of_others_is_listed():
    vendor = ROOT / "book" / "_static" / "vendor"
    listed = " ".join(part.name for part in parts() if part.place == "pages")
    for path in vendor.rglob("*.woff2"):
        if path.parent.name == "fonts":
            assert path.name.split("-latin")[0] in listed
    assert "mathjax" in listed and "Font Awesome" in listed
