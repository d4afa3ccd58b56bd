// An explorer of the plane, as small as one can be that uses every shared part: codes on their way through a
// recorded training, the discriminator's field and the prior's contours behind them, and a decoder at the cursor.

import { makeDecoder } from "../../aae_core/explorers/js/decoder.js";
import { picture } from "../../aae_core/explorers/js/digits.js";
import { h } from "../../aae_core/explorers/js/dom.js";
import { explorer } from "../../aae_core/explorers/js/explorer.js";
import { readCodes, readField } from "../../aae_core/explorers/js/packed.js";
import { legend, pad } from "../../aae_core/explorers/js/pad.js";
import { scrubber } from "../../aae_core/explorers/js/scrubber.js";
import { numbers, whole } from "../../aae_core/explorers/js/state.js";

export default explorer((kit) => {
  const { get, put, root, theme, signal } = kit;
  const decoder = makeDecoder(get("decoder"), get("weights"));
  const codes = readCodes(get("codes"), get("codes_text"));
  const field = readField(get("field"), get("field_text"));
  const prior = readField(get("prior"), get("prior_text"));
  kit.share({ z: { trait: "z", ...numbers(2) }, frame: { trait: "frame", ...whole(0, codes.frames - 1) } });

  const plane = pad({ extent: [-4, 4, -4, 4], name: "code", theme, signal, onMove: (z) => put({ z }) });
  plane.contours({ ...prior, values: prior.frame() }, [0.01, 0.05, 0.1]);
  const image = picture(decoder.shape, { role: "img", "aria-label": "decoded image" });
  const time = scrubber({
    count: codes.frames,
    fps: 4,
    name: "training step",
    format: (t) => `step ${t * 100}`,
    signal,
    onFrame: (t) => {
      show(t);
      put({ frame: Math.floor(t) });
    },
  });
  const show = (/** @type {number} */ t) => {
    plane.points(codes.frame(t), codes.labels);
    plane.field({ ...field, values: field.frame(t) }, { low: 0, high: 1 });
  };
  root.append(
    h("div", { class: "aae-columns" }, h("div", {}, plane.el, legend([..."0123456789"])), image.el),
    time.el,
    kit.tools(() => [[plane.canvas, image.el]]),
  );
  kit.on("z", () => {
    plane.set(get("z"));
    kit.redraw();
  });
  plane.set(get("z"));
  time.set(get("frame"));
  show(get("frame"));
  return {
    draw: () => image.paint(decoder.decode([get("z")]), theme),
    repaint: () => [plane, image].forEach((part) => part.repaint(theme)),
  };
});
