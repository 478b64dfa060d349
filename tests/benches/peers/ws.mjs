// npm `ws`: `node ws.mjs best|readme`.

import { WebSocketServer } from "ws";

const mode = process.argv[2];
if (mode !== "best" && mode !== "readme") {
  console.error("say `best` or `readme`");
  process.exit(2);
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload: 16 << 20 });
server.on("listening", () => console.log(`listening on ws://127.0.0.1:${server.address().port}`));
server.on("connection", mode === "best" ? batched : plain);

function plain(ws) {
  ws.on("error", () => {});
  ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
}

// All messages of one read are handed out before the next tick. Until then the socket is corked,
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
