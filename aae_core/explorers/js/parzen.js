// A Parzen window's bandwidth: the likelihood that it gives to each set of samples, and what its densities draw.

import { chart, swatch, valueAt } from "./chart.js";
import { button, slider } from "./controls.js";
import { picture } from "./digits.js";
import { figure, h } from "./dom.js";
import { explorer } from "./explorer.js";
import { readImages } from "./packed.js";
import { seeded } from "./random.js";
import { between, SEED } from "./state.js";

/** @import { Line } from "./chart.js" */

export default explorer((kit) => {
  const { root, theme, get, put, signal } = kit;
  /** @type {[Line[], number[], number]} */
  const [series, bandwidths, columns] = [get("series"), get("bandwidths"), get("drawn")];
  const images = readImages(get("about"), get("images"));
  const [low, high] = [bandwidths[0], bandwidths[bandwidths.length - 1]];
  kit.share({ bandwidth: { trait: "bandwidth", ...between(low, high) }, seed: { trait: "seed", ...SEED } });
  const take = (/** @type {number} */ bandwidth) =>
    put({ bandwidth: Math.max(low, Math.min(high, +bandwidth.toPrecision(3))) });

  // Left of the best bandwidths the curves fall for thousands of nats: what is shown reaches as far down as the right end.
  const [top, bottom] = [
    Math.max(...series.flatMap(({ values }) => values)),
    Math.min(...series.map(({ values }) => values[values.length - 1])),
  ];
  const least = bottom < top ? bottom : Math.min(...series.flatMap(({ values }) => values));
  const margin = 0.06 * (top - least || 1);
  const width = slider({
    label: h("i", {}, "\u03c3"),
    name: "bandwidth",
    min: 0,
    max: Math.log(high / low),
    step: Math.log(high / low) / 200,
    format: () => get("bandwidth").toPrecision(3),
    onInput: (value) => take(low * Math.exp(value)),
  });
  const plot = chart({
    x: { values: bandwidths, name: "bandwidth \u03c3", log: true },
    y: { low: least - margin, high: top + margin, name: "mean log-likelihood, nats" },
    lines: series,
    name: `Mean log-likelihood of held-out digits against the bandwidth: ${series.map(({ name }) => name).join(", ")}`,
    theme,
    signal,
    onPick: take,
    // The slider runs below the plot, its thumb below the marker.
    onPlace: (left, right) => (width.el.style.gridTemplateColumns = `${left - 8}px minmax(0, 1fr) ${right - 8}px`),
  });

  const items = series.map(({ name }, k) => {
    const value = h("bdi", { class: "aae-number", dir: "ltr" });
    return { k, value, el: h("li", {}, swatch(k), h("span", { class: "aae-name" }, name), value) };
  });
  const list = h("ol", { "aria-label": "Mean log-likelihood in nats at this bandwidth, the highest first" });
  const ranking = h("div", { class: "aae-ranking" }, h("p", { class: "aae-name" }, "nats at this bandwidth"), list);
  const rows = series.map(({ name }, k) => {
    const pictures = Array.from({ length: columns }, () => picture(images.shape, { "aria-hidden": "true" }));
    const draws = h("div", { class: "aae-draws", role: "img", "aria-label": `Draws from the density of ${name}` });
    draws.append(...pictures.map(({ el }) => el));
    draws.style.setProperty("--count", String(columns));
    return { pictures, el: h("div", { class: "aae-density" }, h("p", { class: "aae-name" }, swatch(k), name), draws) };
  });

  const again = button("Sample again", () => {
    put({ seed: (get("seed") + 1) % 10_000 });
    kit.say("Sampled again");
  });
  const reset = button("Reset", () => {
    const [bandwidth, seed] = get("start");
    put({ bandwidth, seed });
    kit.say("Reset");
  });
  const lead = h(
    "p",
    { class: "aae-lead" },
    "Each row: draws from a density that is rated above, each a sample and noise of standard deviation ",
    h("i", {}, "\u03c3"),
    ".",
  );
  const tools = kit.tools(() => [
    [{ canvas: plot.canvas, span: 5 }],
    ...rows.map(({ pictures }) => pictures.map(({ el }) => el)),
  ]);
  root.append(
    h("div", { class: "aae-window" }, h("div", { dir: "ltr" }, plot.el, width.el), ranking),
    h("div", { class: "aae-bar" }, h("div", { class: "aae-tools" }, again, reset), lead),
    ...rows.map(({ el }) => el),
    tools,
  );

  // One seed gives the samples and the noise of all pictures, so that a picture stays itself as the bandwidth moves.
  const size = images.size / images.count;
  /** @type {{ samples: number[][], noise: Float32Array }} */
  let chosen;
  const choose = () => {
    const chance = seeded(get("seed"));
    const samples = rows.map(() => Array.from({ length: columns }, () => chance.below(images.count)));
    const noise = Float32Array.from({ length: columns * size }, chance.normal);
    chosen = { samples, noise };
    kit.redraw();
  };
  const show = () => {
    const bandwidth = get("bandwidth");
    plot.set(bandwidth);
    width.set(Math.log(bandwidth / low));
    const values = series.map(({ values }) => valueAt(bandwidths, values, bandwidth, true));
    items.forEach(({ k, value }) => (value.textContent = figure(values[k], 0)));
    list.append(...[...items].sort((a, b) => values[b.k] - values[a.k]).map(({ el }) => el));
    kit.redraw();
  };
  kit.on("bandwidth", show);
  kit.on("seed", choose);
  choose();
  show();

  return {
    draw: () => {
      const { samples, noise } = chosen;
      const bandwidth = get("bandwidth");
      rows.forEach(({ pictures }, k) => {
        const known = images.frame(k);
        pictures.forEach((one, j) => {
          const from = samples[k][j] * size;
          const pixels = new Float32Array(size);
          for (let i = 0; i < size; i++)
            pixels[i] = Math.max(0, Math.min(1, known[from + i] + bandwidth * noise[j * size + i]));
          one.paint(pixels, theme);
        });
      });
    },
    repaint: () => {
      plot.repaint();
      rows.forEach(({ pictures }) => pictures.forEach((one) => one.repaint(theme)));
    },
  };
});
