// What a page does with the WebSocket of its browser: messages both ways, compressed by both.

import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { DEFLATE_SIZES, noiseOf } from "./payloads.mjs";
import { expect } from "./tap.mjs";

/** By the PARAMS of the server: what the browser agrees to. */
const AGREED = {
  "takeover,threshold=0": "permessage-deflate",
  "takeover,window=9,threshold=0": "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
  "window=10,threshold=0":
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; " +
    "server_max_window_bits=10; client_max_window_bits=10",
};

/**
 * Opens an empty page of the same origin as the echo server, and talks to the server from it. Fails
 * unless the browser says that this was agreed, every message comes back equal, and in both
 * directions less than half of the bytes that the page sent are on the wire.
 */
export async function talk(browser, url, params) {
  const relay = await Relay.to(new URL(url).port);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${relay.port}/`);
    const said = await page.evaluate(converse, [relay.port, DEFLATE_SIZES, noiseOf(2 * DEFLATE_SIZES[5]).toString("hex")]);
    expect("extensions", said.extensions, AGREED[params]);
    expect("wrong echoes", said.wrong.join("; "), "");
    for (const way of ["up", "down"]) {
      const bytes = relay.bytes[way];
      if (bytes > said.bytes / 2) throw new Error(`${bytes} bytes went ${way} for messages of ${said.bytes}`);
    }
  } finally {
    await context.close();
    relay.close();
  }
}

/** Serves the page, and counts what goes through it to the echo server, a port of this machine. */
class Relay {
  static async to(port) {
    const relay = new Relay();
    relay.bytes = { up: 0, down: 0 };
    relay.sockets = new Set();
    relay.server = http.createServer((_, response) => response.end("<!doctype html>"));
    relay.server.on("upgrade", (request, near) => relay.connect(port, request, near));
    relay.server.listen(0, "127.0.0.1");
    await once(relay.server, "listening");
    relay.port = relay.server.address().port;
    return relay;
  }

  connect(port, { url, rawHeaders }, near) {
    const far = net.connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      socket.setNoDelay();
      socket.on("error", () => this.close());
      this.sockets.add(socket);
    }
    const lines = rawHeaders.map((word, i) => word + (i % 2 === 0 ? ": " : "\r\n"));
    far.write(`GET ${url} HTTP/1.1\r\n${lines.join("")}\r\n`);
    near.on("data", (data) => (this.bytes.up += data.length));
    far.on("data", (data) => (this.bytes.down += data.length));
    near.pipe(far).pipe(near);
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
    this.sockets.forEach((socket) => socket.destroy());
  }
}

/** Runs in the page: every size as text and bytes that compress well, and noise once. */
async function converse([port, sizes, noise]) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`);
  ws.binaryType = "arraybuffer";
  const next = (name) =>
    new Promise((resolve, reject) => {
      ws.addEventListener(name, resolve, { once: true });
      ws.addEventListener("close", (event) => reject(new Error(`closed with ${event.code}`)), { once: true });
    });
  await next("open");
  const texts = sizes.map((size) => "aé€".repeat(Math.floor(size / 6)) + "z".repeat(size % 6));
  const binaries = sizes.map((size) => new Uint8Array(size).map((_, i) => i % 100));
  const random = Uint8Array.from(noise.match(/../g), (byte) => parseInt(byte, 16));
  const wrong = [];
  let bytes = 0;
  for (const sent of [...texts, ...binaries, random]) {
    ws.send(sent);
    const { data } = await next("message");
    const isText = typeof sent === "string";
    const same = isText
      ? data === sent
      : data.byteLength === sent.length && new Uint8Array(data).every((byte, i) => byte === sent[i]);
    if (!same) wrong.push(`${isText ? "text" : "binary"} of ${sent.length}`);
    bytes += isText ? new TextEncoder().encode(sent).length : sent.length;
  }
  const { extensions } = ws;
  ws.close(1000);
  return { extensions, wrong, bytes };
}
