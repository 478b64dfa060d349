// npm `ws`: `node ws.mjs best|readme|deflate|takeover`.

import { WebSocketServer } from "ws";

const mode = process.argv[2];
if (!["best", "readme", "deflate", "takeover"].includes(mode)) {
  console.error("say `best`, `readme`, `deflate` or `takeover`");
  process.exit(2);
}

// As ours: level 1.
const perMessageDeflate = (mode === "deflate" || mode === "takeover") && {
  zlibDeflateOptions: { level: 1 },
  threshold: 0,
  serverNoContextTakeover: mode === "deflate",
  clientNoContextTakeover: mode === "deflate",
};
const options = { host: "127.0.0.1", port: 0, maxPayload: 16 << 20, perMessageDeflate };
const server = new WebSocketServer(options);
server.on("listening", () => console.log(`listening on ws://127.0.0.1:${server.address().port}`));
server.on("connection", mode === "best" ? batched : plain);

function plain(ws) {
  ws.on("error", () => {});
  ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
}

// Without compression all messages of one read are handed out before the next tick. Until then the socket is corked,
// which `ws` has no name for.
function batched(ws) {
  const socket = ws._socket;
  const uncork = () => socket.uncork();
  ws.on("error", () => {});
  ws.on("message", (data, isBinary) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(uncork);
    }
    ws.send(data, { binary: isBinary });
  });
}
