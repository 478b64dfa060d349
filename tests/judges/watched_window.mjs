// One browser window with a page in it, and what becomes of it there.

/** Milliseconds a condition may take to come true: the page polls every 5 s. */
export const PATIENCE = 8_000;

export class WatchedWindow {
  constructor(name, context, page) {
    Object.assign(this, { name, context, page });
    /** What went wrong in the page, whom it talked to, and how often it fetched something. */
    this.complaints = [];
    this.addresses = [];
    this.fetches = 0;
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`${name}: console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`${name}: error: ${error.message}`));
    page.on("crash", () => this.complaints.push(`${name}: the page crashed`));
    context.on("request", (request) => {
      this.addresses.push(request.url());
      if (["fetch", "xhr"].includes(request.resourceType())) this.fetches += 1;
    });
    page.on("websocket", (socket) => this.addresses.push(socket.url()));
  }

  /** Whose window this is, for an error. */
  get whose() {
    return this.name;
  }

  /** Types into the field, one key after the other, and clicks on the button. */
  async say(text) {
    await this.page.locator("#text").click();
    await this.page.keyboard.type(text);
    await this.page.locator("#send").click();
  }

  /** Waits until a function is true in the page; the error says what was not seen. */
  async until(what, condition, argument) {
    try {
      await this.page.waitForFunction(condition, argument, { timeout: PATIENCE });
    } catch (error) {
      if (error.name !== "TimeoutError") throw error;
      const shown = (await this.page.locator("body").innerText()).replace(/\s+/g, " ");
      throw new Error(`${this.whose} does not see ${what}; the page reads: ${shown.slice(0, 300)}`);
    }
  }
}
