// A reader's image at the laboratory's size: its middle square, in greys, as ink on paper.

import { h, pencil } from "./dom.js";

export const SIDE = 12; // pixels
const FINE = 16; // to each of which, so many by so many are averaged

/**
 * RGBA of a square of `side` · `fine` pixels → ink in [0, 1], `side` by `side`, at 256 greys. What the square's edge shows is
 * taken for paper: if that is bright, dark is ink.
 * @param {ArrayLike<number>} rgba
 */
export function inkOf(rgba, side = SIDE, fine = FINE) {
  const sums = new Float64Array(side * side);
  const wide = side * fine;
  for (let i = 0; i < wide * wide; i++) {
    const at = Math.floor(i / wide / fine) * side + Math.floor((i % wide) / fine);
    sums[at] += 0.299 * rgba[4 * i] + 0.587 * rgba[4 * i + 1] + 0.114 * rgba[4 * i + 2];
  }
  const greys = sums.map((sum) => Math.round(sum / (fine * fine)));
  const edge = greys.filter((_, i) => i < side || i >= side * (side - 1) || i % side === 0 || i % side === side - 1);
  const bright = edge.reduce((sum, grey) => sum + grey, 0) / edge.length > 127.5;
  return Float32Array.from(greys, (grey) => (bright ? 255 - grey : grey) / 255);
}

/**
 * The ink of an image file; transparent is white. Rejects what the browser cannot open as an image.
 * @param {Blob} file
 */
export async function shrink(file) {
  const image = await createImageBitmap(file);
  const wide = SIDE * FINE;
  const canvas = h("canvas", { width: wide, height: wide });
  const context = pencil(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, wide, wide);
  context.imageSmoothingQuality = "high";
  const side = Math.min(image.width, image.height);
  const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
  context.drawImage(image, left, top, side, side, 0, 0, wide, wide);
  image.close();
  return inkOf(context.getImageData(0, 0, wide, wide).data);
}

/**
 * The ink of image files. One after another: a photograph unpacks to fifty megabytes, and a thousand at once would end the page.
 * @param {File[]} files
 * @param {(file: File) => Promise<Float32Array>} one
 */
export async function shrinkAll(files, one = shrink) {
  const inks = [];
  for (const file of files)
    inks.push(
      await one(file).catch(() => {
        throw new Error(`${file.name}: expected an image, got what the browser cannot open as one.`);
      }),
    );
  return inks;
}
