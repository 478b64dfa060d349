// Judges a WebSocket client with npm `ws` as the server.
//
// usage: node node_server.mjs -- COMMAND.. {url}
//
// The command must do what `python_server.py` says.

import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { WebSocketServer } from "ws";
import { SIZES } from "./payloads.mjs";
import { CHECK_BOUND, expect, run } from "./tap.mjs";

const command = process.argv.slice(process.argv.indexOf("--") + 1);
if (!process.argv.includes("--") || command.length === 0) {
  console.error("usage: node node_server.mjs -- COMMAND.. {url}");
  process.exit(2);
}

const status = await run([
  ["the probe passes, closes with 1000", passes],
  ["every size as text and as binary", sizes],
  ["text holds multi-byte characters", multiByte],
  ["a ping came", pinged],
  ["a server that would compress: nothing is compressed", compression],
  ["echoes in fragments, with pings between them", fragmentedEcho],
  ...[1000, 1001, 1011, 3000, 4999].map((code) => [
    `close ${code} by the server is answered with ${code}`,
    () => closedByServer(code),
  ]),
  ["a wrong echo is noticed", wrongEcho],
  ["an echo of the other kind is noticed", wrongKind],
  ["a connection that is cut is noticed", cut],
  ["invalid UTF-8 from the server gets 1007", () => violation([0x81, 1, 0xff], 1007)],
  ["a masked frame from the server gets 1002", () => violation([0x81, 0x81, 0, 0, 0, 0, 0x78], 1002)],
  ["a reserved bit from the server gets 1002", () => violation([0xc1, 1, 0x78], 1002)],
  ["a refused handshake is noticed", refused],
]);
// A check that failed may have left a connection open, which would keep the process alive.
process.exit(status);

/** Serves on a free port, runs the client, gives what both saw. */
async function visit(onMessage, options = {}) {
  const seen = { sizes: { text: [], binary: [] }, multiByte: 0, pings: 0, codes: [], extensions: [] };
  const server = http.createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 1 << 26, ...options });
  sockets.on("connection", (ws) => {
    seen.extensions.push(ws.extensions);
    ws.on("ping", () => (seen.pings += 1));
    ws.on("close", (code) => seen.codes.push(code));
    ws.on("error", (error) => (seen.error = error));
    ws.on("message", (data, isBinary) => {
      seen.sizes[isBinary ? "binary" : "text"].push(data.length);
      if (!isBinary && data.toString().length < data.length) seen.multiByte += 1;
      onMessage(ws, data, isBinary);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await runClient(`ws://127.0.0.1:${server.address().port}`, seen);
    // The client may be gone before this side has read its Close.
    await Promise.all([...sockets.clients].map((ws) => once(ws, "close")));
  } finally {
    sockets.clients.forEach((ws) => ws.terminate());
    sockets.close();
    server.close();
    server.closeAllConnections();
  }
  return seen;
}

/** Runs the client and keeps its status and output. It may not outlive the check. */
async function runClient(url, seen) {
  const [program, ...rest] = command.map((part) => part.replace("{url}", url));
  const client = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => client.kill("SIGKILL"), CHECK_BOUND - 1000);
  seen.output = "";
  client.stdout.on("data", (data) => (seen.output += data));
  client.stderr.on("data", (data) => (seen.output += data));
  const [status, signal] = await once(client, "close");
  clearTimeout(timer);
  Object.assign(seen, { status, signal });
}

function echo(ws, data, isBinary) {
  ws.send(data, { binary: isBinary });
}

function mustSucceed(seen) {
  if (seen.status !== 0) throw new Error(`the client exited with ${seen.status ?? seen.signal}: ${lastLine(seen)}`);
  if (!seen.output.split("\n").includes("probe ok")) {
    throw new Error(`the client did not print \`probe ok\`: ${lastLine(seen)}`);
  }
}

/** The client noticed: a status of its own choice, a line of explanation, no panic. */
function mustComplain(seen) {
  if (seen.status === 0) throw new Error("the client noticed nothing");
  if (seen.status === null) throw new Error(`the client was ended by ${seen.signal}`);
  if (seen.status === 101 || seen.output.includes("panicked at")) {
    throw new Error(`the client panicked: ${lastLine(seen)}`);
  }
  if (seen.output.trim() === "") throw new Error("the client failed without a word");
}

function lastLine(seen) {
  return seen.output.trim().split("\n").at(-1) || "it printed nothing";
}

/** The close code of the only connection there was. */
function onlyCode(seen) {
  expect("number of connections", seen.codes.length, 1);
  return seen.codes[0];
}

async function passes() {
  const seen = await visit(echo);
  mustSucceed(seen);
  expect("close code", onlyCode(seen), 1000);
}

async function sizes() {
  const seen = await visit(echo);
  const sorted = (list) => JSON.stringify([...list].sort((a, b) => a - b));
  for (const kind of ["text", "binary"]) expect(`sizes of ${kind}`, sorted(seen.sizes[kind]), sorted(SIZES));
}

async function multiByte() {
  const seen = await visit(echo);
  const wanted = SIZES.filter((size) => size >= 125).length;
  if (seen.multiByte < wanted) {
    throw new Error(`${seen.multiByte} texts with multi-byte characters instead of ${wanted}`);
  }
}

async function pinged() {
  const seen = await visit(echo);
  if (seen.pings < 1) throw new Error("no ping came");
}

async function compression() {
  const seen = await visit(echo, { perMessageDeflate: true });
  mustSucceed(seen);
  expect("extensions", seen.extensions.join(), "");
}

async function fragmentedEcho() {
  const seen = await visit((ws, data, binary) => {
    const third = Math.floor(data.length / 3);
    ws.send(data.subarray(0, third), { binary, fin: false });
    ws.ping("between");
    ws.send(data.subarray(third, 2 * third), { binary, fin: false });
    ws.send(data.subarray(2 * third), { binary });
  });
  mustSucceed(seen);
}

async function closedByServer(code) {
  const seen = await visit((ws) => ws.close(code, "enough"));
  mustComplain(seen);
  expect("code of the answer", onlyCode(seen), code);
}

async function wrongEcho() {
  const seen = await visit((ws, data, isBinary) => {
    if (isBinary && data.length === SIZES.at(-1)) data[data.length - 1] ^= 1;
    echo(ws, data, isBinary);
  });
  mustComplain(seen);
}

async function wrongKind() {
  mustComplain(await visit((ws, data) => ws.send(data, { binary: true })));
}

async function cut() {
  const seen = await visit((ws) => ws.terminate());
  mustComplain(seen);
}

/** Puts bytes on the wire that `ws` itself would not send. */
async function violation(bytes, code) {
  const seen = await visit((ws) => ws._socket.write(Buffer.from(bytes)));
  mustComplain(seen);
  expect("close code", onlyCode(seen), code);
}

async function refused() {
  const seen = await visit(echo, { verifyClient: (_, answer) => answer(false, 401, "who are you?") });
  mustComplain(seen);
  if (!seen.output.includes("401")) throw new Error(`the status 401 is not told: ${lastLine(seen)}`);
}
