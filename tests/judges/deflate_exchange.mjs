// What both roles of npm `ws` send over a compressed connection, and expect back.

import { once } from "node:events";
import { DEFLATE_SIZES, noiseOf, noiseTextOf, repeatingOf, textOf } from "./payloads.mjs";
import { expect } from "./tap.mjs";

/** A compressible message of at least so many bytes is less than half of it on the wire. */
const LONG = 1024;

/** Fits twice into the smallest window. */
const REPEATED = 100;

/** A connection whose messages are kept, each with its bytes on the wire if it came compressed. */
export class Wire {
  constructor(ws) {
    this.ws = ws;
    this.kept = [];
    this.compressed = [];
    this.deflate = ws._extensions["permessage-deflate"];
    ws.on("message", (data, isBinary) => {
      this.kept.push(isBinary ? data : data.toString());
      ws.emit("kept");
    });
    ws.on("error", (error) => (this.failure = error));
    ws.on("close", () => ws.emit("kept"));
    if (this.deflate) this.count();
  }

  /** `ws` does not tell whether a message was compressed: what it inflates tells. */
  count() {
    const decompress = this.deflate.decompress.bind(this.deflate);
    let size = 0;
    this.deflate.decompress = (data, fin, done) => {
      size += data.length;
      if (fin) {
        this.compressed.push(size);
        size = 0;
      }
      return decompress(data, fin, done);
    };
  }

  async message() {
    while (this.kept.length === 0) {
      if (this.ws.readyState !== this.ws.OPEN) {
        throw new Error(`closed instead of a message: ${this.failure?.message ?? "no error"}`);
      }
      await once(this.ws, "kept");
    }
    return this.kept.shift();
  }
}

/** Fails unless this was agreed, and every message comes back compressed, and equal. */
export async function exchange(wire, agreed, peerTakesOver) {
  expect("extensions", wire.ws.extensions, "permessage-deflate");
  expect("agreed", terms(wire.deflate.params), terms(agreed));
  for (const size of DEFLATE_SIZES) {
    // Four of the longest would take most of the time, and prove no more.
    const makers = size === DEFLATE_SIZES.at(-1) ? [textOf, noiseOf] : [textOf, noiseTextOf, repeatingOf, noiseOf];
    for (const make of makers) await echoed(wire, make(size), make === textOf || make === repeatingOf);
  }
  // With takeover a message that came before costs next to nothing; without, as much as before.
  const twice = noiseOf(REPEATED);
  const sizes = [await echoed(wire, twice), await echoed(wire, twice)];
  if (sizes[1] < REPEATED / 2 !== peerTakesOver || sizes[0] < REPEATED) {
    throw new Error(`the same ${REPEATED} bytes came in ${sizes[0]} bytes, and then in ${sizes[1]}`);
  }
}

/** The parameters of an extension in one line. */
export function terms(params) {
  const sorted = Object.entries(params).sort();
  return sorted.map(([name, value]) => (value === true ? name : `${name}=${value}`)).join("; ") || "the defaults";
}

/** Sends a message whole and in fragments. Gives the bytes on the wire of the first echo. */
async function echoed(wire, message, compressible = false) {
  const binary = typeof message !== "string";
  const data = Buffer.from(message);
  const third = Math.floor(data.length / 3);
  const parts = [data.subarray(0, third), data.subarray(0, 0), data.subarray(third, 2 * third), data.subarray(2 * third)];
  const before = wire.compressed.length;
  for (const fragments of [[data], parts]) {
    fragments.forEach((part, i) => wire.ws.send(part, { binary, fin: i === fragments.length - 1 }));
    expect(`echo of ${data.length} bytes`, await wire.message(), message);
  }
  const sizes = wire.compressed.slice(before);
  // Nothing is gained by compressing nothing: it comes as it is.
  expect(`compressed messages of ${data.length} bytes`, sizes.length, data.length > 0 ? 2 : 0);
  if (compressible && data.length >= LONG && Math.max(...sizes) > data.length / 2) {
    throw new Error(`${data.length} bytes came in ${sizes}`);
  }
  return sizes[0];
}
