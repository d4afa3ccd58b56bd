// Images on canvases: ink on whatever paper the page has. A pixel is the ink's colour at the pixel's opacity, so a
// digit sits on the page as letters do, in either theme.

import { h, pencil } from "./dom.js";

/** @import { Shape } from "./decoder.js" */
/** @import { Attributes } from "./dom.js" */
/** @import { Theme } from "./theme.js" */
/** @typedef {ReturnType<typeof picture>} Picture */

/**
 * A canvas for images of `shape` [C, H, W]. `paint(pixels, theme, at)` draws the image whose first number is
 * `pixels[at]`; `repaint(theme)` draws the last one again, after a change of theme.
 * @param {Shape} shape
 * @param {Attributes} attributes
 */
export function picture(shape, attributes = {}) {
  const [channels, height, width] = shape;
  const el = h("canvas", { class: "aae-picture", width, height, ...attributes });
  const context = pencil(el);
  const image = context.createImageData(width, height);
  const plane = width * height;
  /** @type {Float32Array | null} */
  let shown = null;
  /** @param {Theme} theme */
  const repaint = ({ ink: [r, g, b] }) => {
    if (!shown) return;
    const data = image.data; // clamps and rounds by itself
    for (let i = 0, k = 0; i < plane; i++, k += 4) {
      if (channels === 3) {
        data[k] = 255 * shown[i];
        data[k + 1] = 255 * shown[i + plane];
        data[k + 2] = 255 * shown[i + 2 * plane];
        data[k + 3] = 255;
      } else {
        data[k] = r;
        data[k + 1] = g;
        data[k + 2] = b;
        data[k + 3] = 255 * shown[i];
      }
    }
    context.putImageData(image, 0, 0);
  };
  /** @param {Float32Array} pixels @param {Theme} theme @param {number} at */
  const paint = (pixels, theme, at = 0) => {
    shown = pixels.subarray(at, at + channels * plane);
    repaint(theme);
  };
  return { el, paint, repaint };
}
