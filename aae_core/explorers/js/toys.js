// Data in the unit square, in groups, for autoencoders that learn while one watches.

import { seeded } from "./random.js";

/** @import { Chance } from "./random.js" */
/** @typedef {{ names: string[], point: (group: number, chance: Chance) => number[] }} Toy */

/** @param {number[]} centre @param {number} width @param {Chance} chance */
const around = ([x, y], width, chance) => [x + width * chance.normal(), y + width * chance.normal()];

/** @type {Record<string, Toy>} */
const TOYS = {
  blobs: {
    names: ["left", "right", "top"],
    point: (group, chance) =>
      around(
        [
          [0.22, 0.3],
          [0.78, 0.3],
          [0.5, 0.78],
        ][group],
        0.09,
        chance,
      ),
  },
  moons: {
    names: ["upper", "lower"],
    point: (group, chance) => {
      const turn = Math.PI * chance.uniform();
      const [c, s] = [0.27 * Math.cos(turn), 0.34 * Math.sin(turn)];
      return around(group ? [0.635 - c, 0.58 - s] : [0.365 + c, 0.42 + s], 0.04, chance);
    },
  },
  ring: {
    names: ["1st", "2nd", "3rd", "4th", "5th", "6th"].map((word) => `${word} sixth`),
    point: (group, chance) => {
      const turn = ((group + chance.uniform()) / 6) * 2 * Math.PI;
      return around([0.5 + 0.36 * Math.cos(turn), 0.5 + 0.36 * Math.sin(turn)], 0.04, chance);
    },
  },
};

/**
 * `count` points of "blobs", "moons" or "ring", always the same: {x: [x0, y0, …], width, count, labels, names, shown}.
 * @param {string} name
 * @param {number} count
 */
export function makeToy(name, count = 1000) {
  const { names, point } = TOYS[name];
  const chance = seeded(1);
  const x = new Float32Array(2 * count);
  const labels = Uint8Array.from({ length: count }, (_, k) => k % names.length);
  labels.forEach((group, k) => x.set(point(group, chance), 2 * k));
  return { x, width: 2, count, labels, names, shown: names.map((_, k) => labels.indexOf(k)) };
}
