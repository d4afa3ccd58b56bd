"""What ``make lint`` finds in the book's prose: each rule its words, and nothing in code, formulas and addresses."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import language

PLANTED = {
    "boast": "This is obviously right.",
    "filler": "Train it in order to see.",
    "contraction": "It doesn't converge.",
    "person": "Then we train it.",
    "spelling": "The codes are normalized.",
    "term": "Each mini-batch has its own.",
    "percent": "It errs on 5 % of them.",
    "latin": "Another prior, e.g. a spiral.",
    "article": "Take a image of it.",
    "twice": "It is the the prior.",
    "dots": "And so on...",
    "weasel_words.very": "The error is very small.",
    "redundancy": "The digit comes first of all.",
    "cliches": "It trains on the spot.",
}
CLEAN = """
(simply-a-target)=
# The prior

Train it on 50,000 images; a one-hot label, an MNIST image, an optimizer of its own size: 5% of them, or 1.90 ± 0.10 %.

| map | error |
|---|---|
| 2-D | 6.08 % |

```python
color = simply(very)  # we don't
```

```{admonition} Solution 1
:class: dropdown
Call `very_simply(color)` or ``it's``, and see [this](https://simply.example/very...), $obviously$ or

$$ of course $$
```

```{code-cell}
we = "very simply"
```
"""


def rules_of(text: str) -> list[str]:
    return [fault.rule for fault in language.faults(language.Passage(0, 1, language.prose(text)))]


def test_the_books_prose_follows_its_rules(capsys):
    assert language.main([]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found(rule):
    assert any(name.startswith(rule) for name in rules_of(f"# A page\n\n{PLANTED[rule]}\n"))


def test_every_rule_of_the_book_is_planted():
    assert {*language.RULES} <= {*PLANTED}


def test_code_formulas_and_addresses_are_no_prose():
    assert rules_of(CLEAN) == []


def test_a_box_is_prose():
    assert rules_of("```{admonition} Solution 1\n:class: dropdown\nClearly so.\n```") == ["boast"]


def test_a_fault_in_a_notebook_is_named_by_cell_and_line(tmp_path, capsys):
    page = tmp_path / "page.ipynb"
    shown = '%matplotlib inline\nx = "very"\nshow(fig, f"Codes of {x}, in color.", alt="It\'s a picture.")'
    cells = [new_markdown_cell("# A page\n\nSimply $x$."), new_code_cell(shown), new_code_cell("# we don't")]
    nbformat.write(new_notebook(cells=cells), page)
    assert language.main([str(page)]) == 1
    places = [line.split(": ")[1:4] for line in capsys.readouterr().out.splitlines()]
    assert places == [
        ["cell 1, line 3", "boast", "Simply"],
        ["cell 2, line 3", "spelling", "color"],
        ["cell 2, line 3", "contraction", "It's"],
    ]


def test_a_fault_in_a_text_page_is_named_by_its_line(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("---\ntitle: very\n---\n\n# A page\n\nThe error is very small.\n", "utf-8")
    assert language.main([str(page)]) == 1
    assert "line 7: weasel_words.very: very" in capsys.readouterr().out
