"""The laboratory as a reader meets it, in a real browser with the network refused; its arithmetic against PyTorch."""

import json

import pytest
import torch
from PIL import Image
from torch.optim import Adam

from aae_core import losses
from aae_core.data import embedded
from aae_core.explorers import LaboratoryExplorer, load_page_model
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.metrics.matching import sliced_wasserstein
from aae_core.networks import Decoder, Discriminator, Encoder
from aae_core.priors import Gaussian, GaussianMixture, SwissRoll
from aae_core.training import descend
from tab import ROOT, get, pictures, put, settle, violations

pytestmark = pytest.mark.browser

PHASES = ["reconstruction", "discrimination", "fooling"]
BUTTONS = ["Rebuild", "Discriminate", "Fool"]
READINGS = ["Squared error", "Distance to prior", "Loss of D", "Loss of the encoder"]
SETTINGS = {"rate": 1e-3, "adversaryRate": 3e-3, "weight": 0.05, "penalty": 0.03}
SHAPE = (1, 12, 12)


@pytest.fixture(scope="module")
def scripts(pages):
    """The modules behind the laboratory, for tests that call them without it."""
    for name in ("aae", "network", "priors", "random", "strokes", "toys"):
        (pages.folder / f"{name}.js").write_text(bundle_js(JS / f"{name}.js"), "utf-8")
    return pages()


@pytest.fixture(scope="module")
def url(pages):
    return pages(LaboratoryExplorer(embedded().train))


@pytest.fixture(scope="module")
def toys(pages):
    return pages(LaboratoryExplorer())


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def step(tab):
    return int(tab.locator(ROOT).get_attribute("data-step") or -1)


def wait_for_step(tab, least):
    tab.wait_for_function(f"Number(document.querySelector('{ROOT}').dataset.step) >= {least}")


def wait_for_reading(tab):
    """Until the first reading stands, which the worker sends after the picture."""
    shown = f"[...document.querySelectorAll('{ROOT} .aae-readings dt + dd')].some((e) => e.textContent !== '–')"
    tab.wait_for_function(shown)


def readings(tab):
    texts = tab.evaluate(
        f"() => [...document.querySelectorAll('{ROOT} .aae-readings dt + dd')].map((e) => e.textContent)"
    )
    return {name: None if text == "–" else float(text) for name, text in zip(READINGS, texts, strict=True)}


def flat(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


# Taken away


@pytest.mark.parametrize(
    "state", ["data=moons&laboratory.prior=petals&laboratory.seed=7", "prior=roll&laboratory.seed=1"]
)
def test_the_run_goes_on_in_python(visit, url, tmp_path, state):
    """The copied script takes the page's hundred steps, and ends where the saved model is.

    A unit that rounding opens in one of the two and shuts in the other parts them, by some 1e-3; these seeds have none.
    """
    tab = visit(f"{url}#laboratory.{state}")
    wait_for_step(tab, 0)
    tab.evaluate(
        """async (root) => {
            navigator.clipboard.writeText = async (text) => { window.copied = text; };
            const one = [...document.querySelectorAll(`${root} button`)].find((e) => e.textContent === "One step");
            window.seen = [];
            const shown = () => document.querySelectorAll(`${root} .aae-readings dt + dd`);
            for (let k = 1; k <= 100; k++) {
                one.click();
                while (document.querySelector(root).dataset.step !== String(k)) await new Promise((next) => setTimeout(next));
                seen.push([0, 2, 3].map((i) => Number(shown()[i].textContent)));
            }
        }""",
        ROOT,
    )
    press(tab, "Copy as Python")
    tab.get_by_role("button", name="Script copied").wait_for()
    names = {"__name__": "__main__"}
    exec(tab.evaluate("copied"), names)
    assert names["SEED"] == get(tab, "seed") and names["STEPS"] == 100
    assert (torch.tensor(names["history"]) - torch.tensor(tab.evaluate("seen"))).abs().max() < 1.5e-3  # as it rounds
    with tab.expect_download() as download:
        press(tab, "Save model")
    download.value.save_as(tmp_path / download.value.suggested_filename)
    model, z = load_page_model(tmp_path / "laboratory.json"), torch.randn(20, 2)
    with torch.no_grad():
        assert (model.decode(z) - names["model"].decode(z)).abs().max() < 1e-3


# The reader's own data


def give(tab, text):
    tab.get_by_role("radio", name="Yours").check(force=True)
    tab.get_by_label("Points, two columns").fill(text)
    press(tab, "Use these points")


def said(tab):
    return tab.locator(f"{ROOT} .aae-yours > .aae-lead").inner_text()


def test_points_that_are_pasted_are_learnt_from_and_taken_away(visit, url, tmp_path):
    tab = visit(url)
    wait_for_step(tab, 0)
    angles = torch.linspace(0, 6, 50)
    points = torch.stack([100 * angles.cos(), 3 + angles.sin()], 1).round(decimals=3)  # as they are pasted
    give(tab, "x;y\n" + "\n".join(f"{x:.3f};{y:.3f}" for x, y in points.tolist()))
    tab.wait_for_function(
        f"document.querySelector('{ROOT} .aae-yours > .aae-lead').textContent.startsWith('50 points')"
    )
    press(tab, "One step")
    wait_for_step(tab, 1)
    wait_for_reading(tab)
    with tab.expect_download() as download:
        press(tab, "Save model")
    download.value.save_as(tmp_path / "mine.json")
    card = json.loads((tmp_path / "mine.json").read_text())
    assert card["scaling"]["low"] == pytest.approx(points.min(0).values.tolist(), abs=1e-3)
    assert card["scaling"]["high"] == pytest.approx(points.max(0).values.tolist(), abs=1e-3)
    assert load_page_model(tmp_path / "mine.json").encode(torch.rand(3, 2)).shape == (3, 2)
    tab.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    press(tab, "Copy as Python")
    tab.get_by_role("button", name="Script copied").wait_for()
    names = {"__name__": "__main__"}
    exec(tab.evaluate("copied"), names)
    low, high = points.min(0).values, points.max(0).values
    assert torch.allclose(names["rows"], 0.05 + 0.9 * (points - low) / (high - low), atol=1e-4)


@pytest.mark.parametrize("kind", ["file", "text"])
def test_what_is_dropped_is_learnt_from(visit, url, kind):
    tab = visit(url)
    wait_for_step(tab, 0)
    tab.get_by_role("radio", name="Yours").check(force=True)
    text = "\n".join(f"{k % 7},{k % 5}" for k in range(35))
    let_through = tab.evaluate(
        """([root, kind, text]) => {
            const data = new DataTransfer();
            if (kind === "file") data.items.add(new File([text], "mine.csv", { type: "text/csv" }));
            else data.setData("text", text);
            const place = document.querySelector(`${root} .aae-yours`);
            const options = { dataTransfer: data, bubbles: true, cancelable: true };
            return ["dragover", "drop"].map((name) => place.dispatchEvent(new DragEvent(name, options)));
        }""",
        [ROOT, kind, text],
    )
    assert let_through == [False, False]  # else the browser would open the file in place of the page
    tab.wait_for_function(
        f"document.querySelector('{ROOT} .aae-yours > .aae-lead').textContent.startsWith('35 points')"
    )
    press(tab, "One step")
    wait_for_step(tab, 1)


def test_a_bad_row_is_named_and_nothing_changes(visit, url):
    tab = visit(url)
    wait_for_step(tab, 0)
    give(tab, "1,2\n3,cat")
    tab.wait_for_function(f"document.querySelector('{ROOT} .aae-yours > .aae-lead').textContent.startsWith('Row 2')")
    assert "3,cat" in said(tab)


def test_points_are_drawn_by_pointer_and_by_keyboard(visit, toys):
    tab = visit(toys)
    wait_for_step(tab, 0)
    tab.get_by_role("radio", name="Yours").check(force=True)
    box = tab.get_by_role("group", name="Points to draw").bounding_box()
    tab.mouse.move(box["x"] + 40, box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 120, box["y"] + 90, steps=6)
    tab.mouse.up()
    tab.wait_for_function(
        f"document.querySelector('{ROOT} .aae-yours > .aae-lead').textContent.includes('points of yours')"
    )
    before = int(said(tab).split()[0])
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press(" ")
    tab.wait_for_function(
        f"parseInt(document.querySelector('{ROOT} .aae-yours > .aae-lead').textContent) === {before + 4}"
    )


def test_images_of_ones_own_are_shrunk_and_learnt_from(visit, url, tmp_path):
    tab = visit(url)
    wait_for_step(tab, 0)
    tab.get_by_role("radio", name="Yours").check(force=True)
    paths = []
    for k in range(12):
        image = Image.new("RGB", (40, 30), "white")
        image.paste("black", (14 + k % 3, 6, 24, 20 + k % 2))
        image.save(tmp_path / f"{k}.png")
        paths.append(tmp_path / f"{k}.png")
    files = tab.get_by_label("A table of points, or images")
    files.set_input_files(paths)
    tab.wait_for_function(
        f"document.querySelector('{ROOT} .aae-yours > .aae-lead').textContent.startsWith('12 images')"
    )
    press(tab, "One step")
    wait_for_step(tab, 1)
    inks = (
        tab.locator(f"{ROOT} .aae-ten")
        .first.locator("canvas")
        .evaluate_all(
            "(all) => all.map((one) => [...one.getContext('2d').getImageData(0, 0, 12, 12).data].filter((_, i) => i % 4 === 3))"
        )
    )
    ink = torch.tensor(inks).view(10, 12, 12)
    assert (ink[:, 5, 5] > 200).all() and (ink[:, 0] < 20).all()  # the dark bar is ink, the white its paper
    (tmp_path / "broken.png").write_bytes(b"no image")
    files.set_input_files([tmp_path / "broken.png"])
    tab.wait_for_function(f"document.querySelector('{ROOT} .aae-yours > .aae-lead').textContent.includes('broken.png')")
    assert violations(tab) == []


# Against PyTorch


def test_gradients_are_pytorchs(again, scripts):
    """Of outputs by weights and by inputs, with a sigmoid at the end and without; and of the slope's square."""
    torch.manual_seed(0)
    x = torch.randn(9, 3)
    for squash, width in ((True, 5), (False, 1)):
        net = Decoder(3, (16, 7), (1, 1, width)).net if squash else Discriminator(3, (16, 7)).net
        inputs = x.clone().requires_grad_()
        y = net(inputs)
        dy = torch.randn_like(y)
        expected = torch.autograd.grad((y * dy).sum(), [*net.parameters(), inputs], retain_graph=True)
        got = again(scripts).evaluate(
            """async ([sizes, squash, weights, x, dy]) => {
                const { network } = await import("./network.js");
                const net = network(sizes, { uniform: Math.random }, { squash });
                net.weights.set(weights);
                const pass = net.forward(Float32Array.from(x), 9);
                const input = net.backward(pass, Float32Array.from(dy), { input: true });
                const gradient = [...net.gradient];
                net.gradient.fill(0);
                return { y: [...pass.y], input: [...input], gradient, steep: net.steep(pass, 0.3), slope: [...net.gradient] };
            }""",
            [[3, 16, 7, width], squash, flat(net).tolist(), x.flatten().tolist(), dy.flatten().tolist()],
        )
        assert torch.tensor(got["y"]).sub(y.flatten()).abs().max() < 1e-5
        assert torch.tensor(got["input"]).sub(expected[-1].flatten()).abs().max() < 1e-5
        assert torch.tensor(got["gradient"]).sub(torch.cat([g.flatten() for g in expected[:-1]])).abs().max() < 1e-5
    penalty = 0.3 * 9 * losses.gradient_penalty(y.squeeze(1), inputs)
    assert got["steep"] == pytest.approx(float(penalty.detach()), rel=1e-5)
    slope = torch.autograd.grad(penalty, list(net.parameters()), allow_unused=True)
    slope = [torch.zeros_like(p) if g is None else g for g, p in zip(slope, net.parameters(), strict=True)]
    assert torch.tensor(got["slope"]).sub(torch.cat([g.flatten() for g in slope])).abs().max() < 1e-5


def steps_in_torch(networks, batches, settings):
    """The three phases, by the package's own networks and losses."""
    encoder, decoder, discriminator = networks
    betas = (0.5, 0.999)
    adams = [Adam(network.parameters(), lr=settings["rate"], betas=betas) for network in (encoder, decoder)]
    adversary = Adam(discriminator.parameters(), lr=settings["adversaryRate"], betas=betas)
    found = []
    for x, z_prior in batches:
        reconstruction = losses.reconstruction(decoder(encoder(x)), x)
        for adam in adams:
            adam.zero_grad()
        reconstruction.backward()
        for adam in adams:
            adam.step()
        z = encoder(x)
        discrimination, smooth = losses.smooth_discriminator(
            discriminator, z_prior, z.detach(), weight=settings["penalty"]
        )
        descend(smooth, adversary)
        fooling = losses.generator(discriminator(z))
        descend(settings["weight"] * fooling, adams[0])
        found.append([float(loss.detach()) for loss in (reconstruction, discrimination, fooling)])
    return found


@pytest.mark.parametrize("by_hand", [False, True], ids=["whole steps", "phase by phase"])
def test_a_training_step_is_pytorchs(again, scripts, by_hand):
    torch.manual_seed(0)
    networks = [Encoder(2, (64,), SHAPE), Decoder(2, (64,), SHAPE), Discriminator(2, (64, 64))]
    weights = [flat(network).tolist() for network in networks]
    images = (
        embedded().train.pixels(slice(0, 192))[..., 2:26, 2:26].unflatten(2, (12, 2)).unflatten(4, (12, 2)).mean((3, 5))
    )
    batches = [(x, torch.randn(64, 2)) for x in images.split(64)]
    got = again(scripts).evaluate(
        """async (text) => {
            const [weights, batches, settings, calls] = JSON.parse(text); // numbers one by one are slow
            const { adversarialAutoencoder } = await import("./aae.js");
            const model = adversarialAutoencoder({ width: 144 }, null, settings, { uniform: Math.random });
            const networks = ["encoder", "decoder", "discriminator"].map((name) => model.networks[name]);
            networks.forEach((network, k) => network.weights.set(weights[k]));
            const losses = [], after = [];
            for (const [rows, samples] of batches) {
                const given = { rows: Float32Array.from(rows), n: 64, samples: Float32Array.from(samples) };
                losses.push(Object.assign({}, ...calls.map((phases) => model.step(phases, given))));
                after.push(networks.map((network) => [...network.weights]));
            }
            return JSON.stringify({ losses, after });
        }""",
        json.dumps(
            [
                weights,
                [[x.flatten().tolist(), z.flatten().tolist()] for x, z in batches],
                SETTINGS,
                [[phase] for phase in PHASES] if by_hand else [PHASES],
            ]
        ),
    )
    got = json.loads(got)
    expected = []
    for batch in batches:  # one at a time would need the optimizers' state: so from the start, each time longer
        expected.append(batch)
        fresh = [Encoder(2, (64,), SHAPE), Decoder(2, (64,), SHAPE), Discriminator(2, (64, 64))]
        for network, original in zip(fresh, networks, strict=True):
            network.load_state_dict(original.state_dict())
        found = steps_in_torch(fresh, expected, SETTINGS)
        k = len(expected) - 1
        assert [got["losses"][k][phase] for phase in PHASES] == pytest.approx(found[-1], abs=1e-4)
        for network, after in zip(fresh, got["after"][k], strict=True):
            # Adam goes its whole way however small a gradient is: where rounding decides one's sign, so it does here.
            off = (torch.tensor(after) - flat(network)).abs()
            assert (off > 1e-4).float().mean() < 1e-3 and off.max() <= 2.1 * (k + 1) * max(
                SETTINGS["rate"], SETTINGS["adversaryRate"]
            )
    moved = (torch.tensor(got["after"][0][0]) - torch.tensor(weights[0])).abs().max()
    assert moved > 5e-4  # a step is well beyond the tolerance


@pytest.mark.parametrize(
    ("name", "prior"), [("gaussian", Gaussian(2)), ("petals", GaussianMixture()), ("roll", SwissRoll())]
)
def test_priors_are_the_packages(again, scripts, name, prior):
    samples, inside = again(scripts).evaluate(
        """async (name) => {
            const { makePrior, describePrior } = await import("./priors.js");
            const { seeded } = await import("./random.js");
            const prior = makePrior(name);
            const samples = prior.sample(4000, seeded(1));
            const { grid, levels } = describePrior(prior, seeded(2), 4);
            const log = Array.from({ length: 4000 }, (_, k) => Math.log(prior.density(samples[2 * k], samples[2 * k + 1])));
            return [[...samples], levels.map((level) => log.filter((value) => value > level).length / 4000)];
        }""",
        name,
    )
    samples = torch.tensor(samples).view(-1, 2)
    ours = [prior.sample(4000, generator=torch.Generator().manual_seed(k)) for k in (0, 1)]
    assert sliced_wasserstein(samples, ours[0]) < 2 * sliced_wasserstein(*ours)
    assert inside == pytest.approx([0.9, 0.5], abs=0.04)


# In the page


def test_it_waits_for_the_reader_with_an_untrained_network(visit, url):
    tab = visit(url)
    wait_for_step(tab, 0)
    tab.wait_for_timeout(300)
    assert step(tab) == 0
    found = readings(tab)
    assert found["Distance to prior"] > 0.3 and found["Squared error"] is None
    assert tab.locator(ROOT).get_attribute("data-engine") == "worker"
    assert len(set(pictures(tab, f"{ROOT} .aae-ten canvas"))) >= 28


def test_it_learns_and_pause_holds(visit, url):
    tab = visit(url)
    wait_for_step(tab, 0)
    begin = readings(tab)["Distance to prior"]
    press(tab, "One step")
    wait_for_step(tab, 1)
    first = readings(tab)
    press(tab, "Play")
    wait_for_step(tab, 300)
    press(tab, "Pause")
    tab.wait_for_function("/Step [3-9]\\d\\d,/.test(document.querySelector('[role=status]').textContent)")
    held = step(tab)
    last = readings(tab)
    assert last["Squared error"] < 0.6 * first["Squared error"]
    assert last["Distance to prior"] < 0.4 * begin
    assert abs(last["Loss of D"] - 0.69) < 0.1
    tab.wait_for_timeout(400)
    assert step(tab) == held
    assert f"Step {held:,}" in tab.locator(".aae-counter").inner_text()


def test_left_alone_it_brings_the_codes_to_the_prior(visit, url):
    tab = visit(url)
    wait_for_step(tab, 0)
    press(tab, "Play")
    distance = f"Number(document.querySelectorAll('{ROOT} .aae-readings dt + dd')[1].textContent)"
    tab.wait_for_function(f"{distance} < 0.12")  # two samples of the prior are about 0.07 apart


def test_phases_by_hand_show_what_they_move(visit, url):
    tab = visit(url)
    wait_for_step(tab, 0)
    put(tab, "rate", 0.1)  # a step so large that the distance is another to the last digit shown
    rebuilt = f"{ROOT} .aae-row:nth-child(2) canvas"
    seen = [(pictures(tab, rebuilt), readings(tab))]
    for k, name in enumerate(BUTTONS, 1):
        press(tab, name)
        wait_for_step(tab, k)
        seen.append((pictures(tab, rebuilt), readings(tab)))
    changes = [
        (
            [name for name in READINGS if after[1][name] != before[1][name]],
            after[0] != before[0],
        )
        for before, after in zip(seen[:-1], seen[1:], strict=True)
    ]
    assert changes[0][1] and not changes[1][1] and changes[2][1]
    assert changes[1][0] == ["Loss of D"]
    assert changes[0][0] == ["Squared error", "Distance to prior"]
    assert changes[2][0] == ["Distance to prior", "Loss of the encoder"]


def run_of(tab, n=4):
    """The readings after each of the first steps."""
    begin = step(tab)
    found = []
    for k in range(1, n + 1):
        press(tab, "One step")
        wait_for_step(tab, begin + k)
        found.append(readings(tab))
    return found


def test_the_same_seed_gives_the_same_run(visit, toys):
    tab = visit(toys)
    wait_for_step(tab, 0)
    first = run_of(tab)
    press(tab, "Restart")
    tab.wait_for_function(f"document.querySelector('{ROOT}').dataset.step === '0'")
    assert run_of(tab) == first
    press(tab, "New seed")
    tab.wait_for_function(f"document.querySelector('{ROOT}').dataset.step === '0'")
    assert get(tab, "seed") == 1
    assert run_of(tab) != first


def test_reset_restores_everything(visit, url):
    tab = visit(url)
    wait_for_step(tab, 0)
    wait_for_reading(tab)
    before, plane = readings(tab), pictures(tab, ".aae-side > .aae-pad canvas")
    press(tab, "Play")
    wait_for_step(tab, 5)
    press(tab, "Pause")
    tab.evaluate(
        "models[0].set({data: 'ring', prior: 'drawn', drawing: 'abcd', seed: 4, rate: 0.01, adversary_rate: 0.1, weight: 1, penalty: 0})"
    )
    press(tab, "Reset")
    tab.wait_for_function(f"document.querySelector('{ROOT}').dataset.step === '0'")
    wait_for_reading(tab)
    start = get(tab, "start")
    assert {name: get(tab, name) for name in start} == start
    assert readings(tab) == before
    assert pictures(tab, ".aae-side > .aae-pad canvas") == plane


def test_settings_act_on_the_steps_to_come(visit, toys):
    tab = visit(toys)
    wait_for_step(tab, 0)
    same = run_of(tab)
    press(tab, "Restart")
    tab.wait_for_function(f"document.querySelector('{ROOT}').dataset.step === '0'")
    slider = tab.get_by_role("slider", name="Rate of the autoencoder")
    slider.focus()
    for _ in range(9):
        tab.keyboard.press("ArrowRight")
    assert get(tab, "rate") == 0.1 and slider.get_attribute("aria-valuetext") == "0.1"
    other = run_of(tab)
    assert other[0]["Squared error"] == same[0]["Squared error"]  # of the first weights, whatever the rate
    assert other[-1]["Squared error"] != same[-1]["Squared error"]


def test_a_prior_is_sampled_where_it_was_drawn(again, scripts, toys):
    tab = again(toys)
    tab.get_by_role("radio", name="Your own").check(force=True)
    box = tab.get_by_role("group", name="Codes").bounding_box()

    def at(x, y):
        return box["x"] + (x + 4) / 8 * box["width"], box["y"] + (4 - y) / 8 * box["height"]

    for y in (1.5, -2):  # two strokes, from left to right
        tab.mouse.move(*at(-3, y))
        tab.mouse.down()
        tab.mouse.move(*at(3, y), steps=20)
        tab.mouse.up()
    text = get(tab, "drawing")
    assert text.count(".") == 1 and len(text) < 160
    tab.wait_for_function(f"location.hash.includes('laboratory.drawing={text}')")
    samples = again(scripts).evaluate(
        """async (text) => {
            const { makePrior } = await import("./priors.js");
            const { seeded } = await import("./random.js");
            return [...makePrior("drawn", text).sample(4000, seeded(0))];
        }""",
        text,
    )
    x, y = torch.tensor(samples).view(-1, 2).T
    upper = (y - 1.5).abs() < 0.9
    assert ((y[~upper] + 2).abs() < 0.9).all() and 0.4 < upper.float().mean() < 0.6
    assert x.min() < -2.6 and x.max() > 2.6 and x.abs().max() < 4
    tab.get_by_role("button", name="Undo").click()
    assert get(tab, "drawing") == text.split(".")[0]
    tab.get_by_role("button", name="Clear").click()
    assert get(tab, "drawing") == ""
    assert tab.get_by_role("button", name="Undo").is_disabled()


def test_an_empty_plane_says_that_the_prior_is_the_gaussian(visit, toys):
    tab = visit(toys)
    wait_for_step(tab, 0)
    warning = tab.locator(".aae-easel strong")
    heard = "document.querySelector('[role=status]').textContent"
    assert not warning.is_visible() and "Gaussian" not in tab.evaluate(heard)
    tab.get_by_role("radio", name="Your own").check(force=True)
    tab.wait_for_function(f"{heard}.includes('Gaussian')")
    assert warning.is_visible() and "Gaussian" in warning.text_content()
    press(tab, "A ring")
    tab.wait_for_function(f"{heard} === 'Prior: A ring'")
    assert not warning.is_visible()
    press(tab, "Clear")
    tab.wait_for_function(f"{heard}.includes('Gaussian')")
    assert warning.is_visible()


def test_codes_follow_a_drawn_prior(visit, url):
    tab = visit(f"{url}#laboratory.prior=drawn")
    press(tab, "A ring")
    wait_for_step(tab, 0)
    tab.wait_for_function(f"document.querySelector('{ROOT} .aae-readings dt + dd') !== null")
    before = readings(tab)["Distance to prior"]
    press(tab, "Play")
    wait_for_step(tab, 600)
    press(tab, "Pause")
    assert readings(tab)["Distance to prior"] < 0.4 * before


def test_everything_can_be_done_by_keyboard(visit, toys):
    tab = visit(toys)
    wait_for_step(tab, 0)
    tab.get_by_role("radio", name="Blobs").focus()
    tab.keyboard.press("ArrowRight")
    assert get(tab, "data") == "moons"
    tab.keyboard.press("Tab")
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    assert get(tab, "prior") == "drawn"
    tab.keyboard.press("Tab")
    for _ in range(12):
        tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("Space")
    assert len(get(tab, "drawing")) == 2
    for name in ("Two islands", "A ring", "An S"):
        tab.get_by_role("button", name=name).focus()
        tab.keyboard.press("Enter")
        assert len(get(tab, "drawing")) > 20
    tab.get_by_role("button", name="Play", exact=True).focus()
    tab.keyboard.press("Enter")
    wait_for_step(tab, 10)
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Play", exact=True).wait_for()


def test_a_screen_reader_hears_what_was_done_and_no_chatter(visit, toys):
    tab = visit(toys)
    wait_for_step(tab, 0)
    tab.evaluate(
        """() => { window.said = []; const live = document.querySelector("[role=status]");
            new MutationObserver(() => live.textContent && said.push(live.textContent))
                .observe(live, { childList: true, characterData: true, subtree: true }); }"""
    )
    press(tab, "Play")
    wait_for_step(tab, 60)
    assert tab.evaluate("said") == []
    press(tab, "Pause")
    tab.wait_for_function("said.length === 1")
    assert "distance to the prior" in tab.evaluate("said[0]")


def test_digits_are_no_choice_on_a_page_without(again, toys):
    tab = again(toys)
    tab.evaluate("location.hash = 'laboratory.data=digits'")
    settle(tab)
    assert get(tab, "data") == "blobs"


def test_it_works_from_a_disk(visit, pages, toys):
    tab = visit((pages.folder / toys.rsplit("/", 1)[1]).as_uri())
    wait_for_step(tab, 0)
    press(tab, "Play")
    wait_for_step(tab, 20)
    assert tab.locator(ROOT).get_attribute("data-engine") == "worker"


@pytest.mark.parametrize(
    "worker",
    [
        "class { constructor() { throw new Error('refused'); } }",
        "class { constructor() { setTimeout(() => this.onerror({ preventDefault() {} }), 50); } postMessage() {} terminate() {} }",
    ],
    ids=["at once", "later"],
)
def test_where_workers_are_refused_it_runs_in_the_page(visit, pages, worker):
    from explorer_page import page  # a plugin by now, whose assertions pytest has rewritten

    html = page(LaboratoryExplorer()).replace("<head>", f"<head><script>window.Worker = {worker}</script>")
    (pages.folder / "refused.html").write_text(html, "utf-8")
    tab = visit(f"{pages().rsplit('/', 1)[0]}/refused.html")
    wait_for_step(tab, 0)
    press(tab, "Play")
    wait_for_step(tab, 20)
    assert tab.locator(ROOT).get_attribute("data-engine") == "page"
    press(tab, "Pause")
    tab.get_by_role("button", name="Play", exact=True).wait_for()
