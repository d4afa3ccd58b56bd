// Ten digits of one style vector; and, for a digit picked, what each dimension of the style does to it.

import { button } from "./controls.js";
import { h } from "./dom.js";
import { explorer } from "./explorer.js";
import { sampleCode } from "./random.js";
import { styleView } from "./styles.js";

export default explorer((kit) => {
  const view = styleView(kit, { lead: () => "All share one style." });
  const sample = button("Sample a style", () => {
    view.glideTo(sampleCode(kit.get("draws"), view.dim, kit.get("limit")));
    kit.say("New style, sampled from the prior");
  });
  const reset = button("Reset", () => {
    view.glideTo(kit.get("start"));
    kit.say("Style reset");
  });
  kit.root.append(
    view.stage,
    h("div", { class: "aae-bar" }, h("div", { class: "aae-tools" }, sample, reset, view.back), view.lead),
    view.panel,
    kit.tools(view.canvases),
  );
  view.begin();
  return view;
});
