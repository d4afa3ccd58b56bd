"""The training explorer as a reader meets it, in a real browser with the network refused."""

import numpy as np
import pytest
import torch

from aae_core.data import Digits
from aae_core.explorers import TrainingExplorer, TrainingRecorder
from aae_core.models import AdversarialAutoencoder
from aae_core.priors import Gaussian
from aae_core.training import TrainingConfig, fit
from tab import HASHES, ROOT, get, pictures, rounded

pytestmark = pytest.mark.browser

RANGE = f"{ROOT} .aae-scrubber input[type=range]"
FRAMES = 9


@pytest.fixture(scope="module")
def recorder():
    """A short run on squares that lie anywhere: codes move, and so does the discriminator's field."""
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 28, 28, dtype=torch.uint8)
    for image, (top, left) in zip(images, torch.randint(2, 17, (200, 2)).tolist(), strict=True):
        image[0, top : top + 9, left : left + 9] = 255
    squares = Digits(images, torch.arange(200) % 10)
    model = AdversarialAutoencoder(Gaussian(2), hidden=(32,), discriminator_hidden=(32,), adversarial_weight=0.1)
    recorder = TrainingRecorder(squares, steps=64, frames=FRAMES - 1)
    config = TrainingConfig(epochs=16, batch_size=50, learning_rate=5e-3)
    fit(model, squares, config, progress=False, callback=recorder)
    return recorder


@pytest.fixture(scope="module")
def url(pages, recorder):
    return pages(TrainingExplorer(recorder))


def test_it_shows_the_end_of_the_run(again, url, recorder):
    tab = again(url)
    assert get(tab, "frame") == FRAMES - 1
    assert tab.locator(RANGE).get_attribute("aria-valuetext") == "step 64"
    error = recorder.readings[-1]["error"]
    assert tab.locator(f"{ROOT} dd").first.inner_text() == rounded(error, 4)


def test_it_shows_what_was_recorded_to_the_last_digit(visit, pages, recorder):
    """Numbers of all sizes, a third of them as near as can be to where a digit changes."""
    chance, n = np.random.default_rng(0), 350
    digits = {"error": 4, "distance": 3, "discrimination": 3}
    recording = TrainingRecorder(recorder.digits.subset(slice(0, 10)), steps=n - 1, frames=n - 1, grid=2)
    recording.prior, recording.steps = recorder.prior, list(range(n))
    for name in ("codes", "fields", "rebuilt"):
        setattr(recording, name, [getattr(recorder, name)[-1][:10]] * n)
    values = {name: 10 ** chance.uniform(-4, 1, n) for name in digits}
    for name, places in digits.items():
        edge = (np.floor(values[name][::3] * 10**places) + 0.5) / 10**places
        values[name][::3] = edge + chance.normal(0, 10.0 ** -chance.integers(places + 1, 16, len(edge)))
    recording.readings = [{name: float(values[name][k]) for name in digits} for k in range(n)]
    tab = visit(pages(TrainingExplorer(recording)))
    shown = tab.evaluate(
        """([selector, n]) => Array.from({length: n}, (_, k) => {
            models[0].set("frame", k);
            return [...document.querySelectorAll(selector)].map((dd) => dd.textContent); })""",
        [f"{ROOT} dd", n],
    )
    assert shown == [
        [rounded(reading[name], places) for name, places in digits.items()] for reading in recording.readings
    ]


def test_every_frame_has_its_own_picture(again, url):
    tab = again(url)
    tab.locator(RANGE).focus()
    tab.keyboard.press("Home")
    seen = []
    for k in range(FRAMES):
        assert get(tab, "frame") == k
        seen.append(tuple(pictures(tab, ".aae-plane")))
        tab.keyboard.press("ArrowRight")
    assert len(set(seen)) == FRAMES


def test_the_rebuilt_digits_follow_and_the_real_ones_stay(again, url):
    tab = again(url)
    before = pictures(tab, ".aae-column canvas")
    tab.locator(RANGE).focus()
    tab.keyboard.press("Home")
    after = pictures(tab, ".aae-column canvas")
    assert len(after) == 20
    assert before[::2] == after[::2]
    assert all(a != b for a, b in zip(before[1::2], after[1::2], strict=True))


def test_what_is_rebuilt_is_what_was_recorded(again, url, recorder):
    tab = again(url)
    ink = """() => [...document.querySelectorAll(".aae-column canvas:nth-of-type(2)")].map((canvas) => {
        const data = canvas.getContext("2d").getImageData(0, 0, 24, 24).data;
        return Array.from({length: 576}, (_, i) => data[4 * i + 3] / 255); })"""
    shown = torch.tensor(tab.evaluate(ink)).view(10, 24, 24)
    real = recorder.rebuilt[-1][:, 0, 2:26, 2:26]
    assert (shown - real).abs().max() < 1 / 30 + 2 / 255


def test_play_runs_to_the_end_and_pause_holds(again, url):
    tab = again(url)
    play = tab.get_by_role("button", name="Play")
    play.click()  # from the end it begins anew
    tab.wait_for_function(f"0 < models[0].get('frame') && models[0].get('frame') < {FRAMES - 1}")
    tab.get_by_role("button", name="Pause").click()
    held = get(tab, "frame")
    tab.wait_for_timeout(400)
    assert get(tab, "frame") == held
    play.click()
    tab.wait_for_function(f"models[0].get('frame') === {FRAMES - 1}")
    tab.get_by_role("button", name="Play").wait_for()


def test_codes_glide_between_frames_where_motion_is_welcome(again, url):
    tab = again(url)
    tab.emulate_media(reduced_motion="no-preference")
    seen = 0
    for _ in range(3):  # a machine that is busy with other things may show no picture between two
        seen = max(
            seen,
            tab.evaluate(
                """async ([hashes, plane, last]) => {
            const seen = new Set();
            document.querySelector("[aria-label=Play]").click();
            do {
                await new Promise(requestAnimationFrame);
                seen.add(eval(hashes)(document.querySelectorAll(plane)).join());
            } while (models[0].get("frame") !== last || seen.size < 2);
            return seen.size;
        }""",
                [HASHES, ".aae-plane", FRAMES - 1],
            ),
        )
    assert seen > FRAMES


def test_a_digit_picked_stands_out(again, url):
    tab = again(url)
    before = pictures(tab, ".aae-plane")
    column = tab.get_by_role("button", name="3: show its codes alone")
    column.click()
    assert get(tab, "label") == 3
    assert column.get_attribute("aria-pressed") == "true"
    assert pictures(tab, ".aae-plane") != before
    tab.keyboard.press("Escape")
    assert get(tab, "label") is None
    assert pictures(tab, ".aae-plane") == before
    column.click()
    column.click()
    assert get(tab, "label") is None


def test_a_frame_and_a_digit_of_the_address_are_shown_and_reset_lets_go_of_both(visit, url):
    tab = visit(f"{url}#training.frame=3&training.digit=7")
    assert tab.locator(RANGE).input_value() == "3"
    tab.get_by_role("button", name="Reset").click()
    assert (get(tab, "frame"), get(tab, "label")) == (FRAMES - 1, None)


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_the_slider_stands_right_under_the_plane_that_it_moves(again, url, width):
    tab = again(url, width=width)
    plane, film = (tab.locator(f"{ROOT} {part}").bounding_box() for part in (".aae-pad", ".aae-scrubber"))
    assert 0 <= film["y"] - (plane["y"] + plane["height"]) < 20
