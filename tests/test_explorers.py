"""The explorers on Python's side: traits, what they refuse, and the bundle that the page receives."""

import base64
import io
import math
import re
import subprocess
import sys

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from torch import nn

from aae_core import palette
from aae_core.data import read_table
from aae_core.explorers import PageDecoder, RowExplorer, StyleExplorer
from aae_core.explorers.bundle import JS, BundleError, bundle_css, bundle_js
from aae_core.explorers.reach import DRAWS
from aae_core.models import AdversarialAutoencoder
from aae_core.models.style import SupervisedAAE
from aae_core.networks import Decoder
from aae_core.priors import Gaussian, Prior, SwissRoll


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return SupervisedAAE(4, hidden=(16,))


def test_importing_the_package_imports_no_widgets():
    code = "import sys, aae_core, aae_core.explorers as e; print('anywidget' in sys.modules, 'StyleExplorer' in dir(e))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "True"]


def test_they_need_no_traits_that_take_a_type():
    """As `t.List[float]`, which the traitlets that Colab has does not know."""
    code = (
        "import anywidget, traitlets as t\n"
        "for kind in (t.List, t.Dict, t.Instance, t.Union, t.Unicode, t.Float):\n"
        "    kind.__class_getitem__ = None\n"
        "import aae_core.explorers as e\n"
        "print(len([getattr(e, name) for name in e.__all__]))"
    )
    assert int(subprocess.check_output([sys.executable, "-c", code], text=True)) > 10


def test_a_model_becomes_a_widget_with_state_that_json_can_carry(model):
    explorer = StyleExplorer(model)
    state = explorer.get_state()
    assert (explorer.z, explorer.label, explorer.names) == ([0.0] * 4, None, [str(k) for k in range(10)])
    assert state["decoder"]["sizes"] == [14, 16, 784] and state["decoder"]["image_shape"] == [1, 28, 28]
    assert isinstance(state["weights"], str) and "weights" not in state["decoder"]
    assert isinstance(state["_esm"], str) and "export default" in state["_esm"]
    assert state["_css"].startswith(palette.css(".aae-explorer", palette.LIGHT)[:40])
    assert explorer.title and explorer.name == "style" and explorer.poster_alt


def test_the_explorer_is_a_widget_like_any_other(model):
    explorer, seen = StyleExplorer(model), []
    explorer.observe(lambda change: seen.append(change["new"]), "z")
    explorer.z = torch.tensor([1.0, 0.5, 0.0, -1.0])
    explorer.z = np.zeros(4, np.float32)
    explorer.z = (1, 2, 3, 4)
    assert seen == [[1.0, 0.5, 0.0, -1.0], [0.0] * 4, [1.0, 2.0, 3.0, 4.0]]
    twin = StyleExplorer(model)
    ipywidgets.link((explorer, "z"), (twin, "z"))
    explorer.z = [0.25] * 4
    assert twin.z == [0.25] * 4
    assert explorer in ipywidgets.VBox([explorer, twin]).children


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("z", [0.0] * 3, "z: .*4.*3"),
        ("z", [0.0, math.nan, 0.0, 0.0], "z:"),
        ("z", [0.0, math.inf, 0.0, 0.0], "z:"),
        ("z", "abcd", "z"),
        ("z", torch.zeros(1, 4), "z"),
        ("label", 10, "label: .*0 … 9.*10"),
        ("label", -1, "label: .*0 … 9.*-1"),
        ("name", "two words", "name:"),
        ("name", "", "name:"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(model, trait, value, message):
    with pytest.raises(traitlets.TraitError, match=message):
        StyleExplorer(model, **{trait: value})
    explorer = StyleExplorer(model, z=[1.0] * 4)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, trait, value)
    assert explorer.z == [1.0] * 4 and explorer.label is None and explorer.name == "style"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StyleExplorer("model.pt"), "model: .* str"),
        (lambda: StyleExplorer(nn.Sequential(nn.Conv2d(1, 1, 1))), "Conv2d"),
        (lambda: StyleExplorer(nn.Sequential(nn.Linear(3, 5), nn.Sigmoid())), r"image_shape.*of 5 numbers"),
        (lambda: StyleExplorer(nn.Sequential(nn.Linear(3, 4)), n_classes=3), "code_dim, n_classes: .* 3, got 0 and 3"),
        (
            lambda: StyleExplorer(nn.Sequential(nn.Linear(3, 4)), code_dim=1, n_classes=1),
            "code_dim, n_classes: .* 3, got 1 and 1",
        ),
        (lambda: StyleExplorer(nn.Sequential(nn.Linear(3, 4)), n_classes=2, names=["a"]), "names: .*2"),
        (lambda: StyleExplorer(nn.Sequential(nn.Linear(3, 4)), limit=0), "limit: .*0"),
        *(
            (lambda limit=limit: StyleExplorer(nn.Sequential(nn.Linear(3, 4)), limit=limit), "limit: ")
            for limit in (math.nan, math.inf, -1, "3", [3], 10**400, np.array([1.0, 2.0]))
        ),
    ],
)
def test_a_model_that_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("prior", "limit", "within"),
    [(Gaussian(2), 3.0, None), (Gaussian(2, std=0.01), 0.033, 0.1), (Gaussian(2, std=40.0), 130, 400), (SwissRoll(), 3.0, 3.5)],
)  # fmt: skip
def test_sliders_go_as_far_as_the_prior_and_sample_draws_from_it(prior, limit, within):
    explorer = StyleExplorer(AdversarialAutoencoder(prior, hidden=(8,), discriminator_hidden=(8,)))
    assert explorer.limit == pytest.approx(limit, rel=0.1)
    drawn = torch.tensor(explorer.draws)
    if within is None:
        assert not explorer.draws  # the page draws from N(0, I) itself
    else:
        assert drawn.shape == (DRAWS, 2) and drawn.abs().max() < within
        assert drawn.std(0) == pytest.approx(prior.sample(20_000).std(0), rel=0.2)
    assert StyleExplorer(AdversarialAutoencoder(prior), limit=7).limit == 7


class Odd(Prior):
    """A prior whose samples are what the test says."""

    dim = 2

    def __init__(self, samples):
        self.samples = samples

    def draw(self, n, labels, generator, device):
        return self.samples(n)


@pytest.mark.parametrize(
    "samples",
    [
        lambda n: torch.full((n, 2), math.nan),
        lambda n: torch.full((n, 2), math.inf),
        lambda n: torch.zeros(n, 3),
        lambda n: torch.zeros(n),
        lambda n: torch.zeros(0, 2),
    ],
)
def test_a_prior_whose_samples_are_no_codes_is_refused(samples):
    model = AdversarialAutoencoder(Gaussian(2), hidden=(8,), discriminator_hidden=(8,))
    model.prior = Odd(samples)
    with pytest.raises(ValueError, match="prior: .* 2 "):
        StyleExplorer(model)


def test_samples_that_are_whole_or_all_alike_are_codes():
    model = AdversarialAutoencoder(Gaussian(2), hidden=(8,), discriminator_hidden=(8,))
    for samples, limit in ((lambda n: torch.ones(n, 2, dtype=torch.int64), 1), (lambda n: torch.zeros(n, 2).half(), 3)):
        model.prior = Odd(samples)
        assert StyleExplorer(model).limit == limit


@pytest.mark.parametrize("limit", [0, -1, math.nan, math.inf, 10**400])
def test_sliders_cannot_be_set_to_no_range(model, limit):
    explorer = StyleExplorer(model)
    with pytest.raises(traitlets.TraitError, match="expected a number"):
        explorer.limit = limit
    assert explorer.limit == 3


def test_a_decoder_that_does_more_than_its_layers_is_found_out():
    class Doubled(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid())

        def forward(self, z):
            return 2 * self.net(z)

    with pytest.raises(ValueError, match="model: .*Doubled"):
        StyleExplorer(Doubled())


@pytest.mark.parametrize("code_dim", [1, 2, 32])
@pytest.mark.parametrize("n_classes", [0, 1, 20])
def test_any_width_and_any_number_of_classes(code_dim, n_classes):
    explorer = StyleExplorer(Decoder(code_dim, hidden=(8,), n_classes=n_classes, image_shape=(1, 4, 6)))
    assert len(explorer.z) == code_dim and len(explorer.names) == max(1, n_classes)
    explorer.label = max(0, n_classes - 1)


def test_a_strangers_tanh_decoder_is_read_from_minus_one_to_one():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 9), nn.Tanh())
    page = PageDecoder(net, n_classes=2)
    z, y = torch.randn(6, 3), torch.arange(6) % 2
    expected = (net(torch.cat([z, torch.eye(2)[y]], 1)) + 1) / 2
    assert page.pixel_range == (-1.0, 1.0) and page.image_shape == (1, 3, 3)
    assert (page.images(z, y).flatten(1) - expected).abs().max() < 4e-3


def test_the_still_shows_each_class_at_twice_the_resolution_of_a_text_column(model):
    explorer = StyleExplorer(model)
    image = Image.open(io.BytesIO(base64.b64decode(explorer.poster))).convert("RGBA")
    assert image.width >= 2 * 690 and image.width / image.height == pytest.approx(10, rel=0.1)
    strength = np.asarray(image.crop((0, 0, 140, 140)).getchannel("A").reduce(5)) / 255
    digit = PageDecoder(model).images(torch.zeros(1, 4), torch.tensor([0]))[0, 0].numpy()
    assert np.corrcoef(strength.ravel(), digit.ravel())[0, 1] > 0.9
    mime = explorer._repr_mimebundle_()[0]
    assert mime["image/png"] == base64.b64decode(explorer.poster)
    assert mime["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id


def test_the_stills_ink_can_be_read_on_both_papers():
    from aae_core.explorers.still import INK

    def luminance(rgb):
        channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]

    for theme in (palette.LIGHT, palette.DARK):
        paper = [int(theme["paper"][k : k + 2], 16) for k in (1, 3, 5)]
        low, high = sorted([luminance(INK), luminance(paper)])
        assert (high + 0.05) / (low + 0.05) > 3


def test_the_bundle_has_no_imports_and_one_export():
    text = bundle_js(JS / "style.js")
    code = [line for line in text.splitlines() if not line.startswith("//")]
    assert not [line for line in code if line.startswith("import")]
    assert [line for line in code if line.startswith("export")] == ["export default explorer((kit) => {"]
    assert set(re.findall(r"https?://[^\s\"]*", text)) == {"http://www.w3.org/2000/svg"}  # a name, nothing is fetched


def test_comments_that_document_stay_behind(tmp_path):
    text = '/**\n * Words.\n * @type {number}\n */\nexport const a = 1; /* kept */\n/** @type {any} */ (a).b;\nconst c = "/** kept */";\n'
    (tmp_path / "a.js").write_text(text, "utf-8")
    found = bundle_js(tmp_path / "a.js")
    assert "Words" not in found and found.count("kept") == 2 and "(a).b" in found and "const a = 1" in found


def test_shared_modules_are_bundled_once_and_in_order(tmp_path):
    (tmp_path / "a.js").write_text(
        'import { b, bb as c } from "./b.js";\nimport { d } from "./d.js";\nexport default b + c + d;'
    )
    (tmp_path / "b.js").write_text('import { d as e } from "./d.js";\nexport const b = e;\nexport function bb() {}')
    (tmp_path / "d.js").write_text("const hidden = 1;\nexport const d = hidden;\nexport class D {}")
    text = bundle_js(tmp_path / "a.js")
    assert text.count("const hidden") == 1
    assert text.index("// d.js") < text.index("// b.js") < text.index("// a.js")
    assert "{ b, bb: c }" in text and "{ d: e }" in text and "return { D, d };" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import x from "./b.js";', "a.js: .*'import x"),
        ('import { x } from "three";', "a.js: .*'three'"),
        ('import { x } from "https://esm.sh/x";', "a.js: .*'https://esm.sh/x'"),
        ('import { x } from "./nowhere.js";', "nowhere.js"),
        ('import { x } from "./b.js";', "b.js .* x"),
        ('const x = await import("./b.js");', r"a.js: .*'import\("),
        ('import { loop } from "./loop.js";', "loop.js → round.js → loop.js"),
        ('import { y } from "./changing.js";', "export let"),
        ('import { y } from "./default.js";', "default.js"),
    ],
)
def test_what_cannot_be_bundled_is_said(tmp_path, text, message):
    (tmp_path / "a.js").write_text(text)
    (tmp_path / "b.js").write_text("export const y = 1;")
    (tmp_path / "loop.js").write_text('import { round } from "./round.js";\nexport const loop = 1;')
    (tmp_path / "round.js").write_text('import { loop } from "./loop.js";\nexport const round = 1;')
    (tmp_path / "changing.js").write_text("export let y = 1;")
    (tmp_path / "default.js").write_text("export const y = 1;\nexport default y;")
    with pytest.raises(BundleError, match=message):
        bundle_js(tmp_path / "a.js")


def test_the_style_sheet_knows_every_hosts_dark_theme():
    text = bundle_css("base")
    for host in ("html[data-theme=dark]", "body[data-jp-theme-light=false]", "body.vscode-dark", "html[theme=dark]"):
        assert f"{host} .aae-explorer" in text
    assert "prefers-color-scheme: dark" in text and text.count(palette.DARK["ink"]) == 2


def test_a_row_is_said_with_as_many_digits_as_its_columns_are_worth(tmp_path):
    path = tmp_path / "cars.csv"
    path.write_text(
        "weight,seconds,maker\n" + "".join(f"{1600 + 34 * k},{8 + 0.17 * k},{'ab'[k % 2]}\n" for k in range(40))
    )
    sketch = read_table(path, announce=str).read_as["sketch"]
    decoder = Decoder(2, (4,), image_shape=(1, 1, 4))
    assert re.fullmatch(
        r"A decoded row\. weight: \d{4}, seconds: \d+\.\d\d, maker: [ab]", RowExplorer(decoder, sketch).poster_alt
    )
