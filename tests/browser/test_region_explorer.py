"""The region explorer as a reader meets it, in a real browser with the network refused."""

import pytest
import torch

from aae_core.explorers import RegionExplorer
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.explorers.region import ribbons
from aae_core.models import LabelledAAE
from aae_core.priors import Gaussian, GaussianMixture, SwissRoll
from explorer_page import vary
from tab import ROOT, get, ink

pytestmark = pytest.mark.browser

TILES = f"{ROOT} .aae-picker canvas"
SLIDERS = f"{ROOT} .aae-walks input[type=range]"
STRIPS = f"{ROOT} .aae-strip canvas"
PRIORS = {"petals": GaussianMixture(), "roll": SwissRoll()}


def explorer(prior, **options):
    """Over a decoder that was never trained, but whose images differ from place to place."""
    torch.manual_seed(3)
    model = LabelledAAE(prior, (24,), discriminator_hidden=(8,)).eval()
    vary(model.decoder.net, 2)
    y = torch.arange(200) % 10
    return RegionExplorer(model, prior.sample(200, y), y, **options), model


@pytest.fixture(scope="module", params=PRIORS)
def prior(request):
    return PRIORS[request.param]


@pytest.fixture(scope="module")
def made(prior):
    return explorer(prior)


@pytest.fixture(scope="module")
def url(pages, made):
    return pages(made[0])


def apart(prior, k, z):
    """How far the code z (1, 2) is from what the sliders reach of region k."""
    along, across = (torch.linspace(*ribbons(prior)[0][axis], 201) for axis in ("along", "across"))
    along, across = torch.cartesian_prod(along, across).T
    return torch.cdist(z, prior.place(torch.full((len(along),), k), along, across)).min()


def drag(tab, z):
    """Presses the pointer where the code `z` is in the plane."""
    box, limit = tab.locator(f"{ROOT} .aae-pad").bounding_box(), get(tab, "limit")
    x = box["x"] + 1 + (z[0] + limit) / (2 * limit) * (box["width"] - 2)
    y = box["y"] + 1 + (limit - z[1]) / (2 * limit) * (box["height"] - 2)
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.up()


@pytest.mark.parametrize("name", PRIORS)
def test_the_page_walks_where_the_prior_says(visit, pages, name):
    prior = PRIORS[name]
    (pages.folder / "regions.js").write_text(bundle_js(JS / "regions.js"))
    spec, _, limit = ribbons(prior)
    generator = torch.Generator().manual_seed(0)
    k = torch.randint(10, (200,), generator=generator)
    low, high = spec["along"]
    along = low + (high - low) * torch.rand(200, generator=generator)
    across = 4 * torch.rand(200, generator=generator) - 2
    found = visit(pages()).evaluate(
        """async ([spec, list]) => {
            const {makeRegions} = await import("./regions.js");
            const regions = makeRegions(spec);
            return list.map(([k, ...place]) => {
                const z = regions.at(k, place);
                return [z, regions.at(k, regions.inside(k, z).place), regions.nearest(z)];
            });
        }""",
        [spec, torch.stack([k, along, across], 1).tolist()],
    )
    real = prior.place(k, along, across)
    z, back = (torch.tensor([row[i] for row in found]) for i in (0, 1))
    assert (z - real).abs().max() < 0.03  # straight pieces of a curve
    assert (back - z).norm(dim=1).max() < 0.03
    owner = torch.tensor([row[2] for row in found])
    assert (owner == prior.region(z)).float().mean() > 0.9  # petals overlap at their feet, segments touch
    assert real.abs().max() < limit


def test_the_first_picture_is_pytorchs(again, url, made, prior):
    tab = again(url)
    middle = sum(ribbons(prior)[0]["along"]) / 2
    with torch.no_grad():
        real = made[1].decode(prior.place(torch.arange(10), torch.full((10,), middle), torch.zeros(10)))
    assert (ink(tab, TILES) - real).abs().max() < 0.03
    assert torch.equal(ink(tab, f"{ROOT} .aae-view canvas")[0], ink(tab, TILES)[3])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_slider_walks_within_the_region(again, url, made, prior, axis):
    tab = again(url)
    before, strips = ink(tab, TILES), ink(tab, STRIPS)
    slider = tab.locator(SLIDERS).nth(axis)
    slider.focus()
    tab.keyboard.press("End")
    spec = ribbons(prior)[0]
    place = [sum(spec["along"]) / 2, 0.0]
    place[axis] = spec[("along", "across")[axis]][1]
    z = prior.place(torch.tensor([3]), torch.tensor(place[:1]), torch.tensor(place[1:]))[0]
    assert torch.tensor(get(tab, "z")).tolist() == pytest.approx(z.tolist(), abs=0.02)
    after = ink(tab, TILES)
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    # The strip that was walked along stays, and its last picture is the one shown; the other strip changes.
    moved = ink(tab, STRIPS)
    n = len(moved) // 2
    own, other = slice(axis * n, (axis + 1) * n), slice((1 - axis) * n, (2 - axis) * n)
    assert torch.equal(moved[own], strips[own]) and not torch.equal(moved[other], strips[other])
    assert (moved[own][-1] - after[3]).abs().max() < 0.02
    assert tab.locator(".aae-strip").nth(axis).locator("[aria-pressed=true]").count() == 1


def test_in_a_region_a_drag_stays_in_it(again, url, prior):
    tab = again(url)
    drag(tab, (-1.0, -1.0))
    z = torch.tensor([get(tab, "z")])
    assert (z - torch.tensor([[-1.0, -1.0]])).norm() > 0.5
    assert apart(prior, 3, z) < 0.03
    assert tab.locator(".aae-where").inner_text().endswith("in the region of 3")


def test_walking_freely_goes_anywhere_and_names_the_nearest(again, url, prior):
    tab = again(url)
    tab.get_by_role("button", name="Walk freely").click()
    assert get(tab, "label") is None and not tab.locator(SLIDERS).first.is_visible()
    target = prior.place(torch.tensor([7]), torch.tensor([0.5]), torch.zeros(1))[0].tolist()
    drag(tab, target)
    assert get(tab, "z") == pytest.approx(target, abs=0.05)
    assert tab.locator(".aae-where").inner_text().endswith("nearest to the region of 7")
    drag(tab, (0.1, 0.6))
    assert get(tab, "z") == pytest.approx([0.1, 0.6], abs=0.05)
    before = get(tab, "z")
    tab.keyboard.press("ArrowUp")
    assert get(tab, "z") == pytest.approx([before[0], before[1] + 0.1], abs=1e-3)


def test_a_digit_picked_is_entered_at_the_same_place(again, url, prior):
    tab = again(url)
    tab.locator(SLIDERS).first.focus()
    tab.keyboard.press("Home")
    tab.locator(".aae-tile").nth(8).click()
    assert get(tab, "label") == 8
    low = ribbons(prior)[0]["along"][0]
    start = prior.place(torch.tensor([8]), torch.tensor([low]), torch.zeros(1))[0]
    assert get(tab, "z") == pytest.approx(start.tolist(), abs=0.02)


def test_sample_stays_in_the_region_and_reset_comes_back(again, url, prior):
    tab = again(url)
    start, seen = get(tab, "z"), []
    for _ in range(20):
        tab.get_by_role("button", name="Sample").click()
        seen.append(get(tab, "z"))
    seen = torch.tensor(seen)
    assert len(seen.unique(dim=0)) == 20
    assert (prior.region(seen) == 3).float().mean() > 0.7  # the ends are borders
    tab.get_by_role("button", name="Walk freely").click()
    regions = set()
    for _ in range(20):
        tab.get_by_role("button", name="Sample").click()
        regions.add(int(prior.region(torch.tensor([get(tab, "z")]))))
    assert len(regions) > 3
    tab.get_by_role("button", name="Reset").click()
    assert get(tab, "z") == start and get(tab, "label") == 3


def test_the_state_is_in_the_address(visit, url, made):
    tab = visit(url)
    begun = ink(tab, TILES)
    tab.locator(".aae-tile").nth(6).click()
    tab.locator(SLIDERS).first.focus()
    tab.keyboard.press("End")
    tab.wait_for_function("""() => location.hash.includes("region.digit=6")
        && location.hash.includes(models[0].get("z").map((value) => +value.toFixed(2)).join())""")
    kept, shown = get(tab, "z"), ink(tab, TILES)
    tab.reload()
    tab.wait_for_selector(f"{ROOT}[data-ready]")
    assert get(tab, "label") == 6
    assert get(tab, "z") == pytest.approx(kept, abs=0.006)  # links keep two decimals
    again = ink(tab, TILES)
    assert (again - shown).abs().max() < 0.03 < 0.1 < (shown - begun).abs().amax((1, 2, 3)).min()
    with torch.no_grad():
        assert (again[6] - made[1].decode(torch.tensor([get(tab, "z")]))[0]).abs().max() < 0.03


def test_a_stranger_s_prior_is_refused():
    model = LabelledAAE(PRIORS["roll"], (8,), discriminator_hidden=(8,))
    model.prior = Gaussian(2)
    with pytest.raises(ValueError, match="Gaussian"):
        RegionExplorer(model, torch.zeros(1, 2), torch.zeros(1, dtype=torch.long))


def test_a_label_or_a_code_that_cannot_be_is_refused(made):
    from traitlets import TraitError

    with pytest.raises(TraitError, match="label: .*0 … 9.*10"):
        explorer(PRIORS["roll"], label=10)
    with pytest.raises(TraitError, match="z: .*2.*3"):
        made[0].z = [0.0, 0.0, 0.0]
