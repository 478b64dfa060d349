// A network with DHCP and one forwarded port, without root: QEMU's user network, no board in it.

import { spawn } from "node:child_process";
import { createServer } from "node:net";

export class UserNetwork {
  #server;
  #qemu;
  #link;
  #rest = Buffer.alloc(0);
  /** Called with each frame for the board. */
  onFrame = () => {};

  /** Forwards 127.0.0.1:hostPort to the board's port; `stop` is called with the reason when it ends. */
  constructor({ hostPort, boardPort, stop }) {
    this.#server = createServer({ noDelay: true }, (link) => this.#connected(link, stop));
    this.#server.listen(0, "127.0.0.1", () => {
      const forward = `hostfwd=tcp:127.0.0.1:${hostPort}-:${boardPort}`;
      this.#qemu = spawn(
        "qemu-system-arm",
        [
          ...["-M", "none", "-display", "none", "-monitor", "none"],
          ...["-netdev", `user,id=user,${forward}`, "-netdev", "hubport,hubid=0,id=a,netdev=user"],
          ...["-netdev", `socket,id=board,connect=127.0.0.1:${this.#server.address().port}`],
          ...["-netdev", "hubport,hubid=0,id=b,netdev=board"],
        ],
        { stdio: ["ignore", "inherit", "inherit"] },
      );
      this.#qemu.on("error", (error) => stop(`qemu-system-arm does not start: ${error.message}`));
      this.#qemu.on("exit", (status) => stop(`qemu-system-arm ended with status ${status}`));
    });
  }

  /** Sends a frame of the board. Before the network is up there is nobody to get it. */
  send(frame) {
    if (!this.#link) return;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    this.#link.write(Buffer.concat([length, frame]));
  }

  stop() {
    this.#qemu?.removeAllListeners();
    this.#qemu?.kill();
  }

  #connected(link, stop) {
    this.#link = link;
    this.#server.close();
    link.on("error", (error) => stop(`the link to qemu-system-arm broke: ${error.message}`));
    link.on("data", (bytes) => this.#received(bytes));
  }

  /** The link is a stream: each frame has its length in front. */
  #received(bytes) {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readUInt32BE(0);
      if (this.#rest.length < end) return;
      const frame = this.#rest.subarray(4, end);
      this.#rest = this.#rest.subarray(end);
      this.onFrame(frame);
    }
  }
}
