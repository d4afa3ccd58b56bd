"""What the search knows of a page: its sections as a reader sees them."""

from __future__ import annotations

import pytest

from book_search import readable, sections_of

PAGE = r"""<nav>elsewhere</nav><article class="bd-article">
<section id="top"><h1>2. The <em>page</em><a class="headerlink" href="#top">#</a></h1><p>First words.</p>
<section id="part"><h2>A part</h2><p>With <span class="math notranslate nohighlight">\(\lambda_{\text{a}} \le 1\)</span>, too.</p>
<div class="highlight"><pre>code = 1</pre></div><div class="math notranslate">\[x\]</div>
<div class="aae-figure"><svg><text>axis</text></svg><p class="aae-caption">A caption.</p></div></section>
<p>Last words.<br>And more.</p></section>
<section id="words"><h2>Words</h2><dl class="glossary"><dt id="term-kl">divergence</dt><dd><p>KL: not symmetric.</p></dd>
<dt id="term-x">other</dt><dd><p>Another.</p></dd></dl></section></article><footer>below</footer>"""


def test_sections_are_found_with_their_own_text():
    rows = {row[2]: row for row in sections_of("page.html", PAGE)}
    assert [*rows] == ["top", "part", "words", "term-kl", "term-x"]
    assert rows["top"][1:4:2] == ["2. The page", "2. The page"]
    assert rows["top"][4] == "First words. Last words. And more."
    assert rows["part"] == ["page.html", "2. The page", "part", "A part", "With λ_a ≤ 1, too. A caption."]
    assert rows["term-kl"][3:] == ["divergence (KL)", "KL: not symmetric."]
    assert rows["term-x"][3:] == ["other", "Another."]


@pytest.mark.parametrize(
    ("formula", "letters"),
    [(r"\mathrm{KL}(p \,\Vert\, q)", "KL(p ‖ q)"), (r"\sigma", "σ"), (r"x \in \{0, 1\}", "x ∈ 0, 1")],
)
def test_a_formula_is_read_as_its_letters(formula, letters):
    assert " ".join(readable(formula).split()) == letters
