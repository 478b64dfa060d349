// Lets an emulated chip run as fast as the clock on the wall, no faster, and sleep when it sleeps.

/** Milliseconds the chip runs before the network of this process gets a turn. */
const SLICE = 4;

/** Milliseconds of lag that are made up for. What is lost beyond them is lost: a chip that runs to
 *  catch up would see its peers as too slow. */
const LAG = 20;

export class Pacer {
  #chip;
  #timer;
  #turn;
  #asleep = false;
  /** The wall's time at which the chip's time was 0, in milliseconds. */
  #start = performance.now();

  constructor(chip) {
    this.#chip = chip;
  }

  /** Runs the chip until it sleeps; then again when it must wake. `change` does to it from outside
   *  what happens now. */
  run(change = () => {}) {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    const now = performance.now();
    // A chip that slept lags behind for no fault of its own, and it takes nothing to catch up.
    if (this.#asleep) this.#runOnce(now);
    else this.#start = Math.max(this.#start, now - this.#chip.time - LAG);
    change();
    const until = now + SLICE;
    this.#asleep = this.#chip.runUntil(() => {
      const wall = performance.now();
      return wall < until ? wall - this.#start : null;
    });
    if (!this.#asleep) {
      this.#turn = setImmediate(() => this.run());
      return;
    }
    const wake = this.#chip.nextAlarm;
    if (wake === null) return;
    // Timers of this process have whole milliseconds: rather late than busy.
    const delay = Math.ceil(this.#start + wake - performance.now());
    this.#timer = setTimeout(() => this.run(), Math.max(1, delay));
  }

  #runOnce(now) {
    const bounds = [now - this.#start];
    this.#chip.runUntil(() => bounds.pop() ?? null);
  }
}
