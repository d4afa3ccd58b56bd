// Taking something away: a link in the clipboard, a picture in a file.

import { h } from "./dom.js";
import { css } from "./theme.js";

/** Puts text into the clipboard; true if that worked. Falls back where the page is not a secure context. */
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
    focused?.focus();
    return done;
  }
}

/**
 * Saves rows of canvases as one PNG, on the theme's paper. Each row is a list of canvases, drawn `size` pixels wide;
 * `name` is the file's, without its ending.
 */
export async function savePicture({ rows, name, theme, size = 168 }) {
  const gap = size / 8;
  const heights = rows.map((row) => Math.max(...row.map((canvas) => (size * canvas.height) / canvas.width)));
  const sheet = h("canvas", {
    width: gap + Math.max(...rows.map((row) => row.length)) * (size + gap),
    height: gap + heights.reduce((sum, height) => sum + height + gap, 0),
  });
  const context = sheet.getContext("2d");
  context.fillStyle = css(theme.paper);
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.imageSmoothingQuality = "high";
  let y = gap;
  rows.forEach((row, r) => {
    row.forEach((canvas, k) => context.drawImage(canvas, gap + k * (size + gap), y, size, heights[r]));
    y += heights[r] + gap;
  });
  const blob = await new Promise((done) => sheet.toBlob(done, "image/png"));
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: `${name}.png` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
