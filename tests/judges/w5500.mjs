// The W5500 as a network card: socket 0 in MACRAW mode, behind SPI in frames of variable length.
// Sections and names are those of its data sheet, version 1.0.9.

// Blocks of registers and memory (section 2.2.2).
const COMMON = 0;
const SOCKET_0 = 1;
const TRANSMIT = 2;
const RECEIVE = 3;

// Common registers (section 4.1).
const MR = 0x00;
const SHAR = 0x09;
const SIMR = 0x18;
const PHYCFGR = 0x2e;
const VERSIONR = 0x39;

// Registers of a socket (section 4.2).
const SN_MR = 0x00;
const SN_CR = 0x01;
const SN_IR = 0x02;
const SN_SR = 0x03;
const SN_RXBUF_SIZE = 0x1e;
const SN_TXBUF_SIZE = 0x1f;
const SN_TX_FSR = 0x20;
const SN_TX_RD = 0x22;
const SN_TX_WR = 0x24;
const SN_RX_RSR = 0x26;
const SN_RX_RD = 0x28;
const SN_RX_WR = 0x2a;
const SN_IMR = 0x2c;

const MACRAW = 0x04;
const MAC_FILTER = 0x80;
const OPEN = 0x01;
const CLOSE = 0x10;
const SEND = 0x20;
const RECV = 0x40;
const SOCK_MACRAW = 0x42;
const IR_RECV = 0x04;
const IR_SEND_OK = 0x10;

/** Bytes of the smallest Ethernet frame, without its checksum. */
const SHORTEST = 60;

export class W5500 {
  #send;
  #interrupt;
  #held = false;
  #selected = false;
  /** Bytes since the chip was selected, address, and what the third byte chose. */
  #position = 0;
  #address = 0;
  #control = 0;
  #common;
  #socket;
  #memory;
  /** The read pointer that the last RECV made known. */
  #read;

  /** `send` is called with each frame that leaves, `interrupt` with the state of the line. */
  constructor({ send, interrupt }) {
    this.#send = send;
    this.#interrupt = interrupt;
    this.#clear();
  }

  /** The reset line: true holds it in reset. */
  reset(held) {
    this.#held = held;
    if (held) this.#clear();
  }

  /** The select line: each selection is one access. */
  select(selected) {
    this.#selected = selected;
    this.#position = 0;
  }

  /** One byte in, one byte out: two of address, one of control, then data (section 2.2). */
  exchange(byte) {
    if (!this.#selected || this.#held) return 0xff;
    this.#position += 1;
    if (this.#position <= 2) {
      this.#address = ((this.#address << 8) | byte) & 0xffff;
      return this.#position;
    }
    if (this.#position === 3) {
      this.#control = byte;
      return 3;
    }
    const block = this.#control >> 3;
    const address = this.#address;
    this.#address = (address + 1) & 0xffff;
    if ((this.#control & 4) === 0) return this.#get(block, address);
    this.#set(block, address, byte);
    return 0;
  }

  /** A frame from the wire. One for which there is no room is lost. */
  receive(frame) {
    if (this.#socket[SN_SR] !== SOCK_MACRAW || !this.#wanted(frame)) return;
    const whole = frame.length + 2;
    if (whole > this.#size(SN_RXBUF_SIZE) - this.#received()) return;
    const start = word(this.#socket, SN_RX_WR);
    const put = (byte, i) => this.#put(RECEIVE, start + i, byte);
    [whole >> 8, whole & 0xff, ...frame].forEach(put);
    setWord(this.#socket, SN_RX_WR, start + whole);
    this.#raise(IR_RECV);
  }

  #clear() {
    this.#common = new Uint8Array(0x40);
    this.#common[VERSIONR] = 4;
    // Link up, 100 Mbit/s, full duplex.
    this.#common[PHYCFGR] = 0xbf;
    this.#socket = new Uint8Array(0x30);
    this.#socket[SN_RXBUF_SIZE] = 2;
    this.#socket[SN_TXBUF_SIZE] = 2;
    this.#memory = { [TRANSMIT]: new Uint8Array(0x4000), [RECEIVE]: new Uint8Array(0x4000) };
    this.#read = 0;
    this.#raise(0);
  }

  #get(block, address) {
    if (block === COMMON) return this.#common[address] ?? 0;
    if (block === TRANSMIT || block === RECEIVE) return this.#memory[block][this.#wrapped(block, address)];
    if (block !== SOCKET_0) return 0;
    const computed = {
      [SN_TX_FSR]: this.#size(SN_TXBUF_SIZE) - this.#unsent(),
      [SN_RX_RSR]: this.#received(),
    };
    const start = address & ~1;
    if (!(start in computed)) return this.#socket[address] ?? 0;
    return address === start ? computed[start] >> 8 : computed[start] & 0xff;
  }

  #set(block, address, byte) {
    if (block === TRANSMIT) this.#put(block, address, byte);
    if (block === COMMON) this.#setCommon(address, byte);
    if (block === SOCKET_0) this.#setSocket(address, byte);
  }

  #setCommon(address, byte) {
    if (address === MR && byte & 0x80) return this.#clear();
    if (address === VERSIONR || address === PHYCFGR) return;
    this.#common[address] = byte;
    this.#raise(0);
  }

  #setSocket(address, byte) {
    const socket = this.#socket;
    if (address === SN_CR) return this.#command(byte);
    const readOnly = [SN_SR, SN_TX_FSR, SN_TX_RD, SN_RX_RSR, SN_RX_WR];
    if (readOnly.some((start) => address === start || (start !== SN_SR && address === start + 1))) return;
    // Writing 1 to a bit of the interrupt register clears it.
    socket[address] = address === SN_IR ? socket[SN_IR] & ~byte : byte;
    this.#raise(0);
  }

  /** The command register reads 0 as soon as a command is taken: here at once. */
  #command(command) {
    const socket = this.#socket;
    const open = socket[SN_SR] === SOCK_MACRAW;
    if (command === OPEN && (socket[SN_MR] & 0x0f) === MACRAW) {
      socket[SN_SR] = SOCK_MACRAW;
      for (const pointer of [SN_TX_RD, SN_TX_WR, SN_RX_RD, SN_RX_WR]) setWord(socket, pointer, 0);
      this.#read = 0;
    }
    if (command === CLOSE) socket[SN_SR] = 0;
    if (command === SEND && open) this.#transmit();
    if (command === RECV && open) {
      this.#read = word(socket, SN_RX_RD);
      if (this.#received() > 0) this.#raise(IR_RECV);
    }
  }

  #transmit() {
    const length = this.#unsent();
    const start = word(this.#socket, SN_TX_RD);
    const frame = Buffer.alloc(Math.max(length, SHORTEST));
    for (let i = 0; i < length; i += 1) frame[i] = this.#get(TRANSMIT, start + i);
    setWord(this.#socket, SN_TX_RD, start + length);
    this.#raise(IR_SEND_OK);
    this.#send(frame);
  }

  /** Whether a frame is for this address, for all, or for a group. */
  #wanted(frame) {
    if ((this.#socket[SN_MR] & MAC_FILTER) === 0 || frame[0] & 1) return true;
    return frame.subarray(0, 6).equals(this.#common.subarray(SHAR, SHAR + 6));
  }

  #raise(bits) {
    this.#socket[SN_IR] |= bits;
    this.#interrupt((this.#common[SIMR] & 1) !== 0 && (this.#socket[SN_IR] & this.#socket[SN_IMR]) !== 0);
  }

  /** Bytes that wait for RECV. */
  #received() {
    return (word(this.#socket, SN_RX_WR) - this.#read) & 0xffff;
  }

  /** Bytes that wait for SEND. */
  #unsent() {
    return (word(this.#socket, SN_TX_WR) - word(this.#socket, SN_TX_RD)) & 0xffff;
  }

  #put(block, address, byte) {
    this.#memory[block][this.#wrapped(block, address)] = byte;
  }

  /** Pointers run through 16 bits; the memory is a ring. */
  #wrapped(block, address) {
    return address & (this.#size(block === TRANSMIT ? SN_TXBUF_SIZE : SN_RXBUF_SIZE) - 1);
  }

  #size(register) {
    return this.#socket[register] * 1024;
  }
}

function word(bytes, at) {
  return (bytes[at] << 8) | bytes[at + 1];
}

function setWord(bytes, at, value) {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}
