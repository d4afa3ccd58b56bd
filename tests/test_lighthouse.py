"""``make lighthouse``: what it serves, which scores count, and what it says of a page that falls short. Lighthouse is not asked."""

from __future__ import annotations

import gzip
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

import lighthouse
from local_server import served

GOOD = dict.fromkeys(lighthouse.CATEGORIES, 100)


def test_texts_are_sent_compressed_and_pictures_as_they_are(tmp_path):
    (tmp_path / "index.html").write_text("words " * 100, "utf-8")
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with served(tmp_path, lighthouse.Host) as address:
        with urlopen(f"{address}/") as page:
            assert page.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(page.read()) == b"words " * 100
        with urlopen(f"{address}/a.png") as picture:
            assert picture.headers["Content-Encoding"] is None and picture.read() == b"\x89PNG"
        with pytest.raises(HTTPError):
            urlopen(f"{address}/none.html")


def test_the_middle_of_three_counts():
    told = [GOOD | {"performance": score} for score in (80, 99, 96)]
    assert lighthouse.together(told) == GOOD | {"performance": 96}


@pytest.mark.parametrize("name", lighthouse.CATEGORIES)
def test_a_page_falls_short_in_any_score(name):
    assert lighthouse.short("a.html", GOOD) == []
    assert lighthouse.short("a.html", GOOD | {name: lighthouse.LEAST - 1}) == [name]
    assert lighthouse.short("a.html", GOOD | {name: lighthouse.LEAST}) == []


def test_a_page_that_asks_not_to_be_found_owes_no_seo():
    assert lighthouse.short("404.html", GOOD | {"seo": 50}) == []
    assert lighthouse.short("404.html", GOOD | {"accessibility": 50}) == ["accessibility"]


def test_what_costs_points_is_named():
    report = {
        "categories": {"seo": {"score": 0.5, "auditRefs": [{"id": "slow", "weight": 3}, {"id": "told", "weight": 0}]}},
        "audits": {"slow": {"score": 0.2, "displayValue": "3 s"}, "told": {"score": 0}},
    }
    assert lighthouse.why(report, ["seo"]) == ["slow 3 s"]
