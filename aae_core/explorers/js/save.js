// Taking something away: text in the clipboard, a picture or a model in a file.

import { h, pencil } from "./dom.js";
import { css } from "./theme.js";

/** @import { Theme } from "./theme.js" */
/** @typedef {HTMLCanvasElement | { canvas: HTMLCanvasElement, span: number }} Placed */

/**
 * Puts text into the clipboard; true if that worked. Falls back where the page is not a secure context.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { "aria-hidden": "true", style: "position: fixed; opacity: 0" });
    area.value = text;
    document.body.append(area);
    const focused = document.activeElement;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}

/**
 * Saves a file of that name where the browser keeps what it downloads.
 * @param {Blob} blob
 * @param {string} name
 */
export function saveFile(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * Saves rows of canvases as one PNG, on the theme's paper. Each row is a list of canvases, drawn `size` pixels wide, or of
 * {canvas, span}, as wide as so many with the gaps between; `name` is the file's, without its ending.
 * @param {{ rows: Placed[][], name: string, theme: Theme, size?: number }} options
 */
export async function savePicture({ rows, name, theme, size = 168 }) {
  const gap = size / 8;
  const placed = rows.map((row) => {
    let x = gap;
    return row.map((one) => {
      const { canvas, span } = one instanceof HTMLCanvasElement ? { canvas: one, span: 1 } : one;
      const width = span * (size + gap) - gap;
      const place = { canvas, x, width, height: (width * canvas.height) / canvas.width };
      x += width + gap;
      return place;
    });
  });
  const heights = placed.map((row) => Math.max(...row.map(({ height }) => height)));
  const sheet = h("canvas", {
    width: Math.max(...placed.flat().map(({ x, width }) => x + width)) + gap,
    height: gap + heights.reduce((sum, height) => sum + height + gap, 0),
  });
  const context = pencil(sheet);
  context.fillStyle = css(theme.paper);
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.imageSmoothingQuality = "high";
  let y = gap;
  placed.forEach((row, r) => {
    for (const { canvas, x, width, height } of row) context.drawImage(canvas, x, y, width, height);
    y += heights[r] + gap;
  });
  /** @type {Blob | null} */
  const blob = await new Promise((done) => sheet.toBlob(done, "image/png"));
  if (!blob) throw new Error(`a picture of ${sheet.width} by ${sheet.height} pixels is too large to be saved`);
  saveFile(blob, `${name}.png`);
}
