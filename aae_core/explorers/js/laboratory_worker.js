// The laboratory's bench on a thread of its own.

import { bench } from "./laboratory_bench.js";

const take = bench((message, buffers) => self.postMessage(message, { transfer: buffers }));
self.onmessage = ({ data }) => take(data);
