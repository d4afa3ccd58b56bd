// A run of the laboratory as a Python script, which takes the same steps with aae_core.

import { base64 } from "./packed.js";
import { MARGIN } from "./points.js";
import { BRUSH, beadsOf } from "./priors.js";

/** @import { Rows } from "./aae.js" */
/** @import { Ends } from "./points.js" */
/** @import { Choices } from "./laboratory_bench.js" */

const MODULES = ["base64", "math", "torch"].map((name) => `import ${name}`).join("\n"); // no line here begins as an import does
const GAUSSIAN = { imports: ["from aae_core.priors import Gaussian"], make: "Gaussian(2)", parts: 0 };
/** @type {Record<string, (drawing: string) => { imports: string[], make: string, parts: number }>} */
const PRIORS = {
  gaussian: () => GAUSSIAN,
  petals: () => ({ imports: ["from aae_core.priors import GaussianMixture"], make: "GaussianMixture()", parts: 10 }),
  roll: () => ({
    imports: ["from aae_core.explorers.page_model import Beads", "from aae_core.priors import SwissRoll"],
    make: "Beads(SwissRoll().at((torch.arange(400) + 0.5) / 400, torch.zeros(400)), 0.1)",
    parts: 400,
  }),
  drawn: (drawing) => {
    if (!drawing) return GAUSSIAN;
    const beads = beadsOf(drawing);
    const make = `Beads(torch.tensor(${JSON.stringify(beads)}), ${BRUSH})`;
    return { imports: ["from aae_core.explorers.page_model import Beads"], make, parts: beads.length };
  },
};

/**
 * `steps` is how many it trains.
 * @param {{ rows: Rows, settings: Choices, seed: number, steps: number, shape: number[], scaling?: Ends | null }} run
 */
export function asPython({ rows: { x, count }, settings, seed, steps, shape, scaling = null }) {
  const { prior, drawing, rate, adversaryRate, weight, penalty } = settings;
  const { imports, make, parts } = PRIORS[prior](drawing);
  const images = shape.length === 3;
  const what = images ? `grey images of ${shape.slice(1).join(" × ")} pixels` : "points of the unit square";
  const bytes = images ? Uint8Array.from(x, (value) => Math.round(255 * value)) : new Uint8Array(x.slice().buffer);
  const rows = `torch.frombuffer(bytearray(base64.b64decode(DATA)), dtype=torch.${images ? "uint8" : "float32"})`;
  const columns = scaling?.low.map((low, c) => `${low} … ${scaling.high[c]}`).join(" and ");
  const sample = parts
    ? `draws = [(int(${parts} * chance.uniform()), chance.normal(), chance.normal()) for _ in range(64)]
        z_prior = prior.place(*map(torch.tensor, zip(*draws, strict=True)))`
    : "z_prior = torch.tensor([[chance.normal(), chance.normal()] for _ in range(64)])";
  return `"""The laboratory's run with seed ${seed}: an adversarial autoencoder on ${count} ${what}."""

${MODULES}
from torch import nn

${["from aae_core import losses", "from aae_core.models import AdversarialAutoencoder", "from aae_core.step import descend", ...imports].sort().join("\n")}

SEED, STEPS = ${seed}, ${steps}
RATE, ADVERSARY_RATE, WEIGHT, PENALTY = ${[rate, adversaryRate, weight, penalty].join(", ")}

class Chance:
    """The page's random numbers (mulberry32): the first weights, the batches and the prior's samples are the page's."""
    def __init__(self, seed):
        self.state = (seed + 1) * 0x9E3779B9 % 2**32
    def uniform(self):
        self.state = s = (self.state + 0x6D2B79F5) % 2**32
        x = (s ^ s >> 15) * (s | 1) % 2**32
        x ^= (x + (x ^ x >> 7) * (x | 61)) % 2**32
        return (x ^ x >> 14) / 2**32
    def normal(self):
        return math.sqrt(-2 * math.log(1 - self.uniform())) * math.cos(2 * math.pi * self.uniform())

def train(rows, prior, steps):
    """The model after so many steps, and of each the losses: reconstruction, discrimination, fooling."""
    chance, history = Chance(SEED), []
    model = AdversarialAutoencoder(prior, hidden=(64,), discriminator_hidden=(64, 64), image_shape=rows.shape[1:])
    for layer in (part for part in model.modules() if isinstance(part, nn.Linear)):
        for weights in (layer.weight, layer.bias):
            numbers = [2 * chance.uniform() - 1 for _ in range(weights.numel())]
            weights.data = torch.tensor(numbers).view_as(weights) / math.sqrt(layer.in_features)
    autoencoder = torch.optim.Adam([*model.encoder.parameters(), *model.decoder.parameters()], RATE, betas=(0.5, 0.999))
    adversary = torch.optim.Adam(model.discriminator.parameters(), ADVERSARY_RATE, betas=(0.5, 0.999))
    for _ in range(steps):
        x = rows[[int(len(rows) * chance.uniform()) for _ in range(64)]]
        ${sample}
        reconstruction = losses.reconstruction(model.decode(model.encode(x)), x)
        descend(reconstruction, autoencoder)
        z = model.encode(x)
        discrimination, smooth = losses.smooth_discriminator(model.discriminator, z_prior, z.detach(), weight=PENALTY)
        descend(smooth, adversary)
        fooling = losses.generator(model.discriminator(z))
        if WEIGHT:  # the encoder alone: nothing leads from here to the decoder
            descend(WEIGHT * fooling, autoencoder)
        history.append([loss.item() for loss in (reconstruction, discrimination, fooling)])
    return model, history

DATA = "${base64(bytes)}"
if __name__ == "__main__":
    rows = ${rows}.view(-1, ${shape.join(", ")})${images ? " / 255" : ""}${columns ? `  # ${columns} lie at ${MARGIN} … ${1 - MARGIN}` : ""}
    model, history = train(rows, ${make}, STEPS)
    for step in [1, *range(STEPS // 10, STEPS + 1, max(1, STEPS // 10))]:
        print(step, *(f"{loss:.4f}" for loss in history[step - 1]))
`;
}
