// rp2040js with what this firmware needs beyond it, behind a small surface.

import { randomBytes } from "node:crypto";

import { BasePeripheral, GPIOPinState, RP2040 } from "rp2040js";

import { segments } from "./elf.mjs";

const FLASH = 0x1000_0000;
/** Where the program's vectors lie: behind the second stage of the boot. */
const VECTORS = FLASH + 0x100;

/** Instructions, or alarms, between two looks at the wall's clock. */
const BURST = 500;

export class Rp2040 {
  #chip = new RP2040();
  /** Called with each byte on UART 0. */
  onByte = () => {};
  /** Called with each byte on SPI 0; gives the byte that comes back. */
  onSpi = () => 0;

  /** `stop` is called with the reason when the program cannot go on. */
  constructor(elf, stop) {
    const chip = this.#chip;
    chip.logger = new Logger(chip, stop);
    chip.onBreak = (code) => stop(`breakpoint ${code} at ${chip.core.PC.toString(16)}`);
    chip.peripherals[0x40058].onWatchdogTrigger = () => stop("the board reset itself");
    repair(chip);
    chip.bootrom.set(bootRom());
    chip.uart[0].onByte = (byte) => this.onByte(byte);
    this.#answerSpi();
    for (const { address, bytes } of segments(elf)) chip.flash.set(bytes, address - FLASH);
    const { core } = chip;
    core.VTOR = VECTORS;
    core.SP = chip.readUint32(VECTORS);
    core.PC = chip.readUint32(VECTORS + 4) & ~1;
  }

  /** Milliseconds of its own time. */
  get time() {
    return this.#chip.clock.nanos / 1e6;
  }

  /** The time at which it wakes by itself, or null. */
  get nextAlarm() {
    const alarm = this.#chip.clock.nextAlarm;
    return alarm === null ? null : alarm.nanos / 1e6;
  }

  /** Runs until the time that `bound` gives, again and again, until that is null.
   *  Gives true when the core sleeps and nothing is due by then. */
  runUntil(bound) {
    const { core, clock } = this.#chip;
    for (let limit = bound(); limit !== null; limit = bound()) {
      const nanos = limit * 1e6;
      for (let i = 0; i < BURST && clock.nanos < nanos; i += 1) {
        if (!core.waiting) {
          clock.tick((core.executeInstruction() * 1e9) / this.#chip.clkSys);
        } else if (clock.nextAlarm !== null && clock.nextAlarm.nanos <= nanos) {
          clock.tick(clock.nanosToNextAlarm);
        } else {
          clock.tick(nanos - clock.nanos);
          return true;
        }
      }
      if (clock.nanos >= nanos && !core.waiting) return false;
    }
    return false;
  }

  /** Drives a pin from outside. */
  setPin(pin, high) {
    this.#chip.gpio[pin].setInputValue(high);
  }

  /** Calls back when the program drives the pin to another level. */
  onPin(pin, callback) {
    this.#chip.gpio[pin].addListener((state) => callback(state !== GPIOPinState.Low));
  }

  /** A byte comes back when its last bit has been clocked. At once, the receiver's queue would
   *  overrun: the transmitter's is filled by a loop that drains nothing. */
  #answerSpi() {
    const spi = this.#chip.spi[0];
    let answer = 0;
    const clocked = this.#chip.clock.createAlarm(() => spi.completeTransmit(answer));
    spi.onTransmit = (byte) => {
      answer = this.onSpi(byte);
      clocked.schedule((spi.dataBits * 1e9) / spi.clockFrequency);
    };
  }
}

/** rp2040js warns of much that does not matter here; and only here it says that SEV was executed. */
class Logger {
  constructor(chip, stop) {
    this.chip = chip;
    this.stop = stop;
  }

  debug() {}

  info(_, message) {
    // rp2040js does nothing else at SEV: a WFE behind it would sleep for ever.
    if (message === "SEV") this.chip.core.eventRegistered = true;
  }

  warn(component, message) {
    // On the chip this is a hard fault. A stack that leaves the RAM ends here.
    if (component === "RP2040" && /undefined address|invalid memory/.test(message)) this.fail(message);
  }

  error(component, message) {
    this.fail(`${component}: ${message}`);
  }

  fail(message) {
    this.stop(`${message}, at ${this.chip.core.PC.toString(16)}`);
  }
}

/** What differs from the chip. */
function repair(chip) {
  // An abort is over when the register reads 0 (section 2.5.5.3 of the data sheet).
  const CHAN_ABORT = 0x444;
  const { dma } = chip;
  const read = dma.readUint32.bind(dma);
  dma.readUint32 = (offset) => (offset === CHAN_ABORT ? 0 : read(offset));

  chip.peripherals[0x14000] = new IdleXip(chip, "XIP_CTRL");
  chip.peripherals[0x40060] = new RingOscillator(chip, "ROSC");
  addFlashId(chip.peripherals[0x18000]);
  // 27 degrees Celsius: 0.706 V of 3.3 V.
  chip.adc.channelValues[4] = Math.round((0.706 / 3.3) * 4096);
}

/** The flash cache's control: nothing is streaming. */
class IdleXip extends BasePeripheral {
  readUint32() {
    return 0;
  }
  writeUint32() {}
}

/** Running and stable, and random. */
class RingOscillator extends BasePeripheral {
  #random = Buffer.alloc(0);
  #next = 0;

  readUint32(offset) {
    const STATUS = 0x18;
    const RANDOMBIT = 0x1c;
    if (offset === STATUS) return 0x8000_1000;
    if (offset !== RANDOMBIT) return 0;
    if (this.#next === this.#random.length) {
      this.#random = randomBytes(64);
      this.#next = 0;
    }
    return this.#random[this.#next++] & 1;
  }
  writeUint32() {}
}

/** The flash answers the command 0x4B with four bytes of nothing and its number. */
function addFlashId(ssi) {
  const DATA = 0x60;
  const READ_UNIQUE_ID = 0x4b;
  const id = [0xe6, 0x61, 0x64, 0x08, 0x43, 0x57, 0x35, 0x30];
  let answer = [];
  const [read, write] = [ssi.readUint32.bind(ssi), ssi.writeUint32.bind(ssi)];
  ssi.readUint32 = (offset) => (offset === DATA && answer.length > 0 ? answer.shift() : read(offset));
  ssi.writeUint32 = (offset, value) => {
    if (offset === DATA) answer = (value & 0xff) === READ_UNIQUE_ID ? [0, 0, 0, 0, ...id] : [];
    write(offset, value);
  };
}

/** As much of a boot ROM as reading the flash's number needs (sections 2.8.2.1 and 2.8.3 of the data
 *  sheet): the table of functions, the function that searches it, one that copies words. The
 *  functions that switch the flash's modes need not do anything. */
function bootRom() {
  const NOTHING = 0x3c;
  const COPY = 0x32;
  const functions = { C4: COPY, IF: NOTHING, EX: NOTHING, RE: NOTHING, RP: NOTHING, FC: NOTHING, CX: NOTHING };
  const words = new Uint32Array(64);
  const halves = new Uint16Array(words.buffer);
  const put = (address, values) => halves.set(values, address / 2);
  put(0x10, [0x754d, 0x0201, 0x0040, 0x0000, 0x0020 | 1]); // "Mu", 1, version 2, tables, search
  put(0x20, [
    0x8802, // 20: ldrh r2, [r0]       search(r0: table, r1: name)
    0x428a, //     cmp r2, r1
    0xd003, //     beq 2e
    0x3004, //     adds r0, #4
    0x2a00, //     cmp r2, #0
    0xd1f9, //     bne 20
    0xbe00, //     bkpt                no such function
    0x8840, // 2e: ldrh r0, [r0, #2]
    0x4770, //     bx lr
    0x3a04, // 32: subs r2, #4         copy(r0: to, r1: from, r2: bytes)
    0xd302, //     blo 3c
    0x588b, //     ldr r3, [r1, r2]
    0x5083, //     str r3, [r0, r2]
    0xe7fa, //     b 32
    0x4770, // 3c: bx lr               nothing()
  ]);
  const table = Object.entries(functions).flatMap(([name, address]) => {
    return [name.charCodeAt(0) | (name.charCodeAt(1) << 8), address | 1];
  });
  put(0x40, [...table, 0, 0]);
  return words;
}
