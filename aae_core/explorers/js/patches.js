// A transposed convolution's second half: patches of 4 by 4 pixels, two apart, added up where they overlap.

/**
 * The map [batch, height, width, channels] that patches make. `patches` is [batch, h, w, 4, 4, channels], h and w being half of
 * the height and width; each patch reaches one pixel beyond its own two by two. `bias` is added to each pixel.
 * @param {Float32Array} patches
 * @param {number} batch
 * @param {{ height: number, width: number, bias: number[] }} map
 */
export function lay(patches, batch, { height, width, bias }) {
  const channels = bias.length;
  const [h, w] = [height >> 1, width >> 1];
  const out = new Float32Array(batch * height * width * channels);
  for (let at = 0; at < out.length; at += channels) out.set(bias, at);
  let from = 0;
  for (let s = 0; s < batch; s++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let i = 0; i < 4; i++) {
          const row = 2 * y + i - 1;
          for (let j = 0; j < 4; j++, from += channels) {
            const column = 2 * x + j - 1;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const to = ((s * height + row) * width + column) * channels;
            for (let c = 0; c < channels; c++) out[to + c] += patches[from + c];
          }
        }
      }
    }
  }
  return out;
}

/**
 * Images whose pixels' channels stand beside each other, as images channel by channel.
 * @param {Float32Array} maps
 * @param {number} batch
 * @param {number} channels
 */
export function byChannel(maps, batch, channels) {
  const plane = maps.length / batch / channels;
  const out = new Float32Array(maps.length);
  for (let s = 0, from = 0; s < batch; s++)
    for (let p = 0; p < plane; p++)
      for (let c = 0; c < channels; c++, from++) out[(s * channels + c) * plane + p] = maps[from];
  return out;
}
