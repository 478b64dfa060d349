// One browser window with a board's page in it, and what a person can do there.

import { PATIENCE, WatchedWindow } from "./watched_window.mjs";

export class BoardWindow extends WatchedWindow {
  /** Opens the page in a context of its own. A board whose slots are all taken refuses: then again. */
  static async open(browser, url, name, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const window = new BoardWindow(name, context, page);
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      try {
        await page.goto(url);
        break;
      } catch (error) {
        const refused = /ERR_(EMPTY_RESPONSE|CONNECTION_RESET)/.test(error.message);
        if (!refused || Date.now() > deadline) throw error;
      }
    }
    await page.locator("#text").waitFor();
    return window;
  }

  /** Says a name, with the mouse and the keyboard. */
  async comeIn(welcome = true) {
    await this.say(this.name);
    if (welcome) await this.isInside();
  }

  async isInside() {
    await this.sees(`${this.name} joined`);
    await this.until("the button `Say`", () => document.querySelector("#send").textContent === "Say");
  }

  /** Waits until a line of the log reads so. */
  async sees(line) {
    await this.until(
      `the line \`${line}\``,
      (wanted) => [...document.querySelectorAll("#log > *")].some((item) => item.textContent === wanted),
      line,
    );
  }

  /** Waits until the reading is another than this one, and is one. */
  async reading(before) {
    await this.until(
      "another reading",
      (old) => {
        const now = document.querySelector("#reading").textContent;
        return now !== old && /^up [0-9]+:[0-5][0-9]:[0-5][0-9]/.test(now);
      },
      before,
    );
    return this.page.locator("#reading").textContent();
  }

  /** Unscrolled, the field and the button lie inside the window, and the page is not wider. */
  async fits({ width, height }) {
    for (const selector of ["#text", "#send", "#state"]) {
      const { left, top, right, bottom, wide } = await this.page.locator(selector).evaluate((element) => {
        window.scrollTo(0, 0);
        const { left, top, right, bottom } = element.getBoundingClientRect();
        return { left, top, right, bottom, wide: document.documentElement.scrollWidth };
      });
      if (wide > width) throw new Error(`the page is ${wide} wide instead of ${width}`);
      if (left < 0 || top < 0 || right > width || bottom > height) {
        throw new Error(`${selector} lies at ${left},${top} to ${right},${bottom}, outside ${width} x ${height}`);
      }
    }
  }

  /** The log is scrolled to its last line. */
  async showsTheNewest() {
    await this.until("the newest line at the bottom of the log", () => {
      const log = document.querySelector("#log");
      return log.scrollHeight > log.clientHeight && log.scrollTop + log.clientHeight > log.scrollHeight - 2;
    });
  }

  /** Closes the window. */
  async leave() {
    await this.context.close();
  }
}
