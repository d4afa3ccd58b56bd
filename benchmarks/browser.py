"""How long does a move of a slider take in Chromium: ten digits by the page's decoder, against loops as one would write them?"""

from __future__ import annotations

import runpy
from statistics import median

import torch
from playwright.sync_api import sync_playwright

from aae_core.explorers import PageDecoder
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.networks import Decoder
from benchmarks.pairs import ROOT, Measured, Setting, ratios

MEASURE = """
async ({ module, spec, weights, moves }) => {
  const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const { makeDecoder, readWeights } = await import(url);
  const start = performance.now();
  const { decode } = makeDecoder(spec, weights);
  const codes = () => Array.from({ length: 10 }, () => Array.from({ length: spec.code_dim }, () => 2 * Math.random() - 1));
  const labels = Array.from({ length: 10 }, (_, digit) => digit);
  decode(codes(), labels);
  const first = performance.now() - start;

  // Image by image, output by output, input by input.
  const numbers = readWeights(spec, weights);
  const plain = (code, label) => {
    let x = new Float32Array(spec.sizes[0]), at = 0;
    x.set(code);
    x[spec.code_dim + label] = 1;
    spec.activations.forEach((activation, k) => {
      const [n, m] = [spec.sizes[k], spec.sizes[k + 1]];
      const y = new Float32Array(m);
      for (let o = 0; o < m; o++) {
        let sum = numbers[at + n * m + o];
        for (let i = 0; i < n; i++) sum += numbers[at + o * n + i] * x[i];
        y[o] = activation === "sigmoid" ? 1 / (1 + Math.exp(-sum)) : Math.max(0, sum);
      }
      at += (n + 1) * m;
      x = y;
    });
    return x;
  };

  const times = { ours: [], plain: [] };
  let apart = 0;
  for (let move = 0; move < moves; move++) {
    const now = codes();
    const t0 = performance.now();
    const got = decode(now, labels);
    const t1 = performance.now();
    const want = now.map((code, i) => plain(code, labels[i]));
    const t2 = performance.now();
    times.ours.push(t1 - t0);
    times.plain.push(t2 - t1);
    want.forEach((image, i) => image.forEach((v, j) => (apart = Math.max(apart, Math.abs(v - got[i * image.length + j])))));
  }
  return { first, apart, ...times };
}
"""


def measure(setting: Setting) -> list[Measured]:
    torch.manual_seed(0)
    spec, weights = PageDecoder(Decoder(17, (512, 512), n_classes=10)).traits()
    module = bundle_js(JS / "decoder.js")
    given = {"module": module, "spec": spec, "weights": weights, "moves": 4 if setting.quick else 60}
    path = runpy.run_path(str(ROOT / "tests" / "browser" / "find_browser.py"))["find"]()
    if path is None:
        raise RuntimeError("There is no Chromium here. `make bench` fetches one.")
    raw: dict[str, list[float]] = {"decoder, ms": [], "plain loops, ms": [], "first picture, ms": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(setting.rounds):  # a fresh tab: its code is compiled anew
            tab = browser.new_page()
            found = tab.evaluate(MEASURE, given)
            tab.close()
            if not found["apart"] < 1e-4:
                raise RuntimeError(f"The two decoders draw different digits: {found['apart']} apart.")
            raw["decoder, ms"].append(median(found["ours"]))
            raw["plain loops, ms"].append(median(found["plain"]))
            raw["first picture, ms"].append(found["first"])
        browser.close()
    size = (len(module) + len(weights)) / 1e6
    return [
        Measured(
            "browser/move",
            "ten digits by a 27-512-512-784 decoder in Chromium, the median of the moves of a fresh tab",
            raw["decoder, ms"],
            raw,
            unit="ms",
            at_most=12,
            note=f"{size:.2f} MB of code and weights",
        ),
        Measured(
            "browser/ratio",
            "plain loops over the page's decoder, move by move",
            ratios(raw["plain loops, ms"], raw["decoder, ms"]),
            raw,
        ),
        Measured(
            "browser/first-picture",
            "weights unpacked and the first ten digits drawn",
            raw["first picture, ms"],
            raw,
            unit="ms",
        ),
    ]
