// Evenly spaced quantiles of some numbers, the least and the greatest among them, and what they tell.

/**
 * The number that a share `at` of them do not exceed, from 0 to 1.
 * @param {number[]} steps
 * @param {number} at
 */
export function quantile(steps, at) {
  const place = Math.max(0, Math.min(1, at)) * (steps.length - 1);
  const k = Math.min(Math.floor(place), steps.length - 2);
  return steps[k] + (steps[k + 1] - steps[k]) * (place - k);
}

/**
 * The share of them that is above `value`.
 * @param {number[]} steps
 * @param {number} value
 */
export function above(steps, value) {
  const k = steps.findIndex((step) => step > value);
  if (k <= 0) return k ? 0 : 1;
  const below = k - 1 + (value - steps[k - 1]) / (steps[k] - steps[k - 1]);
  return 1 - below / (steps.length - 1);
}
