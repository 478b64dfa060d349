// A W5500-EVB-Pico on this computer: the very program that is flashed to the board, in an emulated
// RP2040 with an emulated W5500, on a network of QEMU's with DHCP.
//
//   node rp2040.mjs PROGRAM.elf PORT
//
// Prints what the board prints on UART 0. 127.0.0.1:PORT is forwarded to the board's port 80. Runs
// until it is killed; a board that resets itself, or does what no RP2040 can, ends it with status 1.
// Needs rp2040js of package.json and qemu-system-arm.

import { readFileSync } from "node:fs";

import { Pacer } from "./rp2040_pacer.mjs";
import { Rp2040 } from "./rp2040_chip.mjs";
import { UserNetwork } from "./user_network.mjs";
import { W5500 } from "./w5500.mjs";

// The wiring of the board.
const SELECT = 17;
const RESET = 20;
const INTERRUPT = 21;

const [program, port] = process.argv.slice(2);
if (!program || !(Number(port) > 0)) stop("usage: node rp2040.mjs PROGRAM.elf PORT");

const chip = flashed(program);
const pacer = new Pacer(chip);
const network = new UserNetwork({ hostPort: Number(port), boardPort: 80, stop });
const ethernet = new W5500({
  send: (frame) => network.send(frame),
  interrupt: (pending) => chip.setPin(INTERRUPT, !pending),
});

network.onFrame = (frame) => pacer.run(() => ethernet.receive(frame));
chip.onByte = (byte) => process.stdout.write(Buffer.of(byte));
chip.onSpi = (byte) => ethernet.exchange(byte);
chip.onPin(SELECT, (high) => ethernet.select(!high));
chip.onPin(RESET, (high) => ethernet.reset(!high));
// However this ends, QEMU must not stay behind.
process.on("exit", () => network.stop());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
pacer.run();

/** A chip with the program in its flash. */
function flashed(program) {
  try {
    return new Rp2040(readFileSync(program), stop);
  } catch (error) {
    return stop(`${program}: ${error.message}`);
  }
}

function stop(reason) {
  console.error(`rp2040: ${reason}`);
  process.exit(1);
}
