// For tests/test_laboratory_script.py: runs of the laboratory, each as {name, script, json, losses, rows, codes, rebuilt}.

import { adversarialAutoencoder, PHASES } from "../../aae_core/explorers/js/aae.js";
import { modelAsJSON } from "../../aae_core/explorers/js/laboratory_model.js";
import { asPython } from "../../aae_core/explorers/js/laboratory_script.js";
import { makePrior } from "../../aae_core/explorers/js/priors.js";
import { seeded } from "../../aae_core/explorers/js/random.js";
import { makeToy } from "../../aae_core/explorers/js/toys.js";

const STEPS = 100;
const settings = { rate: 1e-3, adversaryRate: 3e-3, weight: 0.05, penalty: 0.03, drawing: "", prior: "gaussian" };
const chance = seeded(9);
const images = { width: 144, count: 40 };
images.x = Float32Array.from({ length: 144 * 40 }, (_, i) => (i % 12 < 6 ? 0 : chance.below(256) / 255));

const runs = [
  ["a normal prior", makeToy("blobs"), {}, 0],
  ["petals", makeToy("moons"), { prior: "petals", penalty: 0 }, 1],
  ["a roll", makeToy("ring", 300), { prior: "roll", weight: 0.2 }, 2],
  ["a drawn prior", makeToy("moons"), { prior: "drawn", drawing: "aBcDeF.00__" }, 3],
  ["nothing drawn", makeToy("moons"), { prior: "drawn", weight: 0 }, 4],
  ["images", images, { rate: 0.003 }, 9999],
].map(([name, rows, changes, seed]) => {
  const own = { ...settings, ...changes };
  const prior = makePrior(own.prior, own.drawing);
  const model = adversarialAutoencoder(rows, () => prior, own, seeded(seed));
  const losses = Array.from({ length: STEPS }, () => model.step()).map((loss) => PHASES.map((phase) => loss[phase]));
  const shape = rows.width === 2 ? [2] : [1, 12, 12];
  const run = { rows, settings: own, seed, shape, steps: STEPS, step: STEPS };
  const codes = model.encode(rows.x, rows.count);
  const rebuilt = model.decode(codes, rows.count);
  const lists = Object.entries({ x: rows.x, codes, rebuilt }).map(([key, array]) => [key, [...array]]);
  const json = modelAsJSON(model.networks, run);
  return { name, script: asPython(run), json, losses, shape, ...Object.fromEntries(lists) };
});
process.stdout.write(JSON.stringify(runs));
