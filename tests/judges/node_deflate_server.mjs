// Judges the compression of a WebSocket client with npm `ws` as the server.
//
// usage: node node_deflate_server.mjs -- COMMAND..
//
// The command must do what `python_deflate_server.py` says.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { Wire, exchange, terms } from "./deflate_exchange.mjs";
import { CHECK_BOUND, run } from "./tap.mjs";

const ALONE = { server_no_context_takeover: true, client_no_context_takeover: true };

/** The client's PARAMS, what the server wants, and what it answers. */
const CASES = [
  ["takeover,threshold=0", {}, {}],
  [
    "takeover,threshold=0",
    { serverMaxWindowBits: 9, clientMaxWindowBits: 8 },
    { server_max_window_bits: 9, client_max_window_bits: 8 },
  ],
  [
    "takeover,threshold=0",
    { serverMaxWindowBits: 10, clientNoContextTakeover: true },
    { server_max_window_bits: 10, client_no_context_takeover: true },
  ],
  ["takeover,window=9,threshold=0", {}, { server_max_window_bits: 9, client_max_window_bits: 9 }],
  ["window=10,threshold=0", {}, { ...ALONE, server_max_window_bits: 10, client_max_window_bits: 10 }],
  ["threshold=0", {}, ALONE],
];

const command = process.argv.slice(process.argv.indexOf("--") + 1);
if (!process.argv.includes("--") || command.length === 0) {
  console.error("usage: node node_deflate_server.mjs -- COMMAND..");
  process.exit(2);
}
const status = await run(
  CASES.map(([params, wanted, agreed]) => [`${params}: ${terms(agreed)}`, () => check(params, wanted, agreed)]),
);
// A check that failed may have left a connection open, which would keep the process alive.
process.exit(status);

async function check(params, wanted, agreed) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: { ...wanted, threshold: 0 } });
  let judged;
  server.on("connection", async (ws, request) => {
    const wire = new Wire(ws);
    if (request.url === "/getCaseCount") ws.send("1");
    if (request.url.startsWith("/runCase?")) {
      judged = exchange(wire, agreed, !agreed.client_no_context_takeover);
      // Looked at below, once the client is gone.
      await judged.catch(() => {});
    }
    if (request.url !== "/getCaseCount") ws.close(1000);
  });
  await once(server, "listening");
  try {
    await runClient([`--deflate=${params}`, "--client", `ws://127.0.0.1:${server.address().port}`]);
    if (!judged) throw new Error("the client did not run the case");
    await judged;
  } finally {
    server.clients.forEach((ws) => ws.terminate());
    server.close();
  }
}

/** Runs the client to its end. It may not outlive the check. */
async function runClient(options) {
  const [program, ...rest] = command;
  const client = spawn(program, [...rest, ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => client.kill("SIGKILL"), CHECK_BOUND - 1000);
  let output = "";
  client.stdout.on("data", (data) => (output += data));
  client.stderr.on("data", (data) => (output += data));
  const [code, signal] = await once(client, "close");
  clearTimeout(timer);
  if (code !== 0) throw new Error(`the client exited with ${code ?? signal}: ${output.trim()}`);
}
