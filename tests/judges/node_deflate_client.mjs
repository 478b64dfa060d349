// Judges the compression of an echo server with npm `ws` as the client.
//
// usage: node node_deflate_client.mjs ws://127.0.0.1:PORT --deflate PARAMS
//
// The server must have been started with these PARAMS, one of those in OFFERS.

import { once } from "node:events";
import { parseArgs } from "node:util";
import WebSocket from "ws";
import { Wire, exchange, terms } from "./deflate_exchange.mjs";
import { run } from "./tap.mjs";

const ALONE = { server_no_context_takeover: true, client_no_context_takeover: true };

/** By the server's PARAMS: what the client offers, and what it is answered. */
const OFFERS = {
  "takeover,threshold=0": [
    [{}, {}],
    [{ serverNoContextTakeover: true, clientNoContextTakeover: true }, ALONE],
    [
      { serverMaxWindowBits: 8, clientMaxWindowBits: 9 },
      { server_max_window_bits: 8, client_max_window_bits: 9 },
    ],
    [
      { serverMaxWindowBits: 10, clientMaxWindowBits: 15, clientNoContextTakeover: true },
      { server_max_window_bits: 10, client_max_window_bits: 15, client_no_context_takeover: true },
    ],
  ],
  "takeover,window=9,threshold=0": [
    [{}, { server_max_window_bits: 9, client_max_window_bits: 9 }],
    // This client's window cannot be limited.
    [{ clientMaxWindowBits: false }, { server_max_window_bits: 9, client_no_context_takeover: true }],
  ],
  "window=10,threshold=0": [[{}, { ...ALONE, server_max_window_bits: 10, client_max_window_bits: 10 }]],
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { deflate: { type: "string" } } });
const [url] = positionals;
const offers = OFFERS[values.deflate];
if (!url || !offers) {
  console.error("usage: node node_deflate_client.mjs ws://127.0.0.1:PORT --deflate PARAMS");
  process.exit(2);
}
const status = await run(
  offers.map(([offer, agreed]) => [`${values.deflate}: ${terms(agreed)}`, () => check(offer, agreed)]),
);
// A check that failed may have left a connection open, which would keep the process alive.
process.exit(status);

async function check(offer, agreed) {
  const ws = new WebSocket(url, { perMessageDeflate: { ...offer, threshold: 0 } });
  await once(ws, "open");
  await exchange(new Wire(ws), agreed, !agreed.server_no_context_takeover);
  const closed = once(ws, "close");
  ws.close(1000);
  await closed;
}
