"""What the browser is given must compute what PyTorch computes."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import aae_core
from aae_core.data import embedded
from aae_core.export import pack_mlp
from aae_core.int12 import TOP, finest_step
from aae_core.networks import Decoder, ScaledTanh
from aae_core.packed import ExportError, PackedMLP, unpack_mlp


def warmed(net: nn.Module) -> nn.Module:
    """A network whose normalisations have seen data and whose weights are not the initial ones."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d) and module.running_mean is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.2, 3)
            if module.affine:
                nn.init.normal_(module.weight, 1, 0.3)
                nn.init.normal_(module.bias)
    return net.eval()


def gap(net: nn.Module, precision: str = "float32", n: int = 50) -> float:
    packed = PackedMLP.from_json(pack_mlp(net, precision=precision).to_json())
    x = torch.randn(n, packed.sizes[0], generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return (net.eval()(x).flatten(1) - unpack_mlp(packed)(x)).abs().max().item()


STACKS = {
    "plain": lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4), nn.Sigmoid()),
    "one layer": lambda: nn.Sequential(nn.Linear(2, 1)),
    "no bias": lambda: nn.Sequential(nn.Linear(3, 5, bias=False), nn.Tanh(), nn.Linear(5, 2, bias=False)),
    "leaky": lambda: nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 4), nn.Tanh()),
    "two linear": lambda: nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 4)),
    "norm before": lambda: nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)),
    "norm after": lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 4)),
    "norm first": lambda: nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4)),
    "norm last": lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4), nn.BatchNorm1d(4)),
    "two norms": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Dropout(), nn.BatchNorm1d(8, affine=False), nn.Linear(8, 4)
    ),
    "norm on both sides": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.1), nn.BatchNorm1d(8), nn.Linear(8, 4), nn.Sigmoid()
    ),
    "ignored": lambda: nn.Sequential(
        nn.Flatten(),
        nn.Linear(3, 8),
        nn.Identity(),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(8, 4),
        nn.Unflatten(1, (2, 2)),
    ),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 8), nn.ReLU()), nn.Sequential(nn.Linear(8, 4))),
    "scaled tanh": lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4), ScaledTanh()),
}


@pytest.mark.parametrize("name", STACKS)
def test_the_packed_network_computes_the_same(name):
    assert gap(warmed(STACKS[name]())) < 1e-5


def test_half_precision_is_close_on_a_decoder_of_full_size():
    torch.manual_seed(0)
    net = Decoder(8, n_classes=10, batch_norm=(0, 1)).net
    assert gap(warmed(net), "float16", 20) < 4e-3


@pytest.mark.parametrize("name", ["supervised", "aae-mixture", "labels-roll", "gan"])
def test_twelve_bits_draw_what_the_trained_decoders_draw(name):
    """As far as one sees: three hundredths at most, in one pixel of thousands, and a tenth of a grey level on average."""
    model = aae_core.load(name)
    classes = model.decoder.n_classes
    codes = model.prior.sample(200, generator=torch.Generator().manual_seed(0))
    if classes:
        codes = torch.cat([codes, torch.eye(classes)[torch.arange(200) % classes]], 1)
    exact, ours = (unpack_mlp(pack_mlp(model.decoder, precision=kind)) for kind in ("float32", "int12"))
    with torch.no_grad():
        apart = (exact(codes) - ours(codes)).abs()
    assert apart.max() < 0.03 and apart.mean() < 0.1 / 255


@pytest.mark.parametrize("name", ["supervised", "aae-mixture"])
def test_twelve_bits_read_what_the_trained_encoders_read(name):
    encoder = aae_core.load(name).encoder
    images = embedded().test.pixels()[:200].flatten(1)
    exact, ours = (unpack_mlp(pack_mlp(encoder, precision=kind)) for kind in ("float32", "int12"))
    with torch.no_grad():
        want, got = exact(images), ours(images)
    assert (want - got).abs().max() < 0.01 * want.std()


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4), seed=st.integers(0, 2**16))
def test_a_weight_at_twelve_bits_is_off_by_half_a_step_at_most(sizes, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(*(nn.Linear(n, m) for n, m in pairwise(sizes)))
    net[0].weight.data[0] = 0
    kept = unpack_mlp(PackedMLP.from_json(pack_mlp(net).to_json()))
    total = sum(layer.weight.numel() for layer in net)
    for layer, ours in zip(net, kept[::2], strict=True):
        finest = finest_step(layer.weight.detach().double().numpy(), total)
        step = (layer.weight.abs().amax(1, keepdim=True) / TOP).clamp(min=finest)
        assert ((layer.weight - ours.weight).abs() <= 0.5001 * step).all()
        assert torch.equal(layer.bias, ours.bias)


def test_a_decoder_is_packed_by_its_net():
    decoder = Decoder(2, hidden=(8,), n_classes=3, image_shape=(1, 2, 2), output=ScaledTanh())
    packed = pack_mlp(decoder)
    assert (packed.sizes, packed.activations) == ([5, 8, 4], ["relu", "sigmoid"])
    assert packed == pack_mlp(decoder.net)


def test_packing_leaves_the_network_alone():
    net = STACKS["norm after"]().train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    pack_mlp(net)
    assert net.training and all(torch.equal(before[key], value) for key, value in net.state_dict().items())


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=2, max_size=5),
    activations=st.lists(st.sampled_from(["identity", "relu", "leaky", "tanh", "sigmoid"]), min_size=4, max_size=4),
    norms=st.lists(st.sampled_from(["none", "before", "after"]), min_size=4, max_size=4),
    seed=st.integers(0, 2**16),
)
def test_any_stack_survives_the_trip(sizes, activations, norms, seed):
    torch.manual_seed(seed)
    make = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "identity": nn.Identity}
    layers = []
    for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False)):
        last = k == len(sizes) - 2
        layers.append(nn.Linear(n, m))
        if norms[k] == "before":
            layers.append(nn.BatchNorm1d(m))
        layers.append(nn.LeakyReLU(0.3) if activations[k] == "leaky" else make[activations[k]]())
        if norms[k] == "after" and not last:
            layers.append(nn.BatchNorm1d(m))
    net = warmed(nn.Sequential(*layers))
    packed = pack_mlp(net, precision="float32")
    assert packed.sizes == sizes
    assert PackedMLP.from_json(packed.to_json()) == packed
    assert gap(net, n=7) < 1e-3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-65504, 65504, width=16), min_size=6, max_size=6))
def test_numbers_of_half_precision_are_kept_exactly(values):
    net = nn.Sequential(nn.Linear(2, 2))
    net[0].weight.data = torch.tensor(values[:4]).view(2, 2)
    net[0].bias.data = torch.tensor(values[4:])
    assert np.array_equal(pack_mlp(net, precision="float16").numbers(), np.array(values, np.float32))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 1, 3)), r"layer 0 \(Conv2d\).*Supported: Linear"),
        (nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.GELU())), r"layer 1\.0 \(GELU\)"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), r"layer 0 \(ReLU\): .*follow"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Tanh()), r"layer 2 \(Tanh\): .*follow"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2), nn.Tanh(), nn.Linear(2, 2)), "layer 3"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2)), "last batch normalisation"),
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)), r"layer 1 \(BatchNorm1d\): "),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 2)), r"layer 1 \(Linear\): .* 4 .* 3\."),
        (nn.Sequential(nn.Identity()), "Sequential"),
        (nn.ReLU(), "ReLU: "),
    ],
)
def test_what_the_browser_cannot_run_is_named(net, message):
    with pytest.raises(ExportError, match=message):
        pack_mlp(net)


@pytest.mark.parametrize(("value", "message"), [(math.nan, "finite"), (math.inf, "finite"), (7e4, "fit float16")])
def test_weights_that_do_not_fit_are_refused(value, message):
    net = nn.Sequential(nn.Linear(2, 2))
    net[0].weight.data[1, 0] = value
    with pytest.raises(ExportError, match=rf"layer 0 \(Linear\).*{message}"):
        pack_mlp(net, precision="float16")


@pytest.mark.parametrize("part", ["weight", "bias"])
def test_weights_that_are_no_numbers_are_refused_at_twelve_bits_too(part):
    net = nn.Sequential(nn.Linear(2, 2))
    getattr(net[0], part).data[1] = math.inf
    with pytest.raises(ExportError, match=r"layer 0 \(Linear\).*finite"):
        pack_mlp(net)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ExportError, match="int12, float16, float32"):
        pack_mlp(nn.Linear(1, 1), precision="int8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "onnx"}, "format 'aae-mlp'"),
        ({"version": 2}, "version 1.*got 2"),
        ({"sizes": [2]}, "sizes"),
        ({"sizes": [2, 0]}, "sizes"),
        ({"sizes": [2, 3]}, "expected 9 numbers"),
        ({"activations": []}, "activations"),
        ({"activations": ["gelu"]}, "gelu"),
        ({"activations": [{"name": "leaky_relu"}]}, "leaky_relu"),
        ({"activations": [{"name": "leaky_relu", "slope": "steep"}]}, "steep"),
        ({"weights": "!!"}, "base64"),
        ({"weights": "AAA="}, "expected 6 numbers"),
        ({"weights": 5}, "base64"),
        ({"weights": "AHwAAAAAAAAAAAAA"}, "finite"),
        ({"precision": "float64"}, "int12, float16, float32"),
        ({"weights": None}, "base64"),
    ],
)
def test_a_file_that_does_not_fit_together_is_refused(change, message):
    card = json.loads(pack_mlp(nn.Linear(2, 2), precision="float16").to_json())
    with pytest.raises(ExportError, match=message):
        PackedMLP.from_json(json.dumps(card | change))


@pytest.mark.parametrize(
    "change", [{"sizes": [2, 3]}, {"sizes": [3, 2]}, {"weights": "!!"}, {"weights": "AAAA"}, {"weights": ""}]
)
def test_a_file_of_twelve_bits_that_does_not_fit_together_is_refused(change):
    card = json.loads(pack_mlp(nn.Linear(2, 2)).to_json())
    with pytest.raises(ExportError, match="weights: .*base64.*int12"):
        PackedMLP.from_json(json.dumps(card | change))


@pytest.mark.parametrize("text", ["", "{", "[]", '"aae-mlp"', '{"format": "aae-mlp", "version": 1}'])
def test_what_is_no_packed_network_is_refused(text):
    with pytest.raises(ExportError):
        PackedMLP.from_json(text)
