// One browser window with the chat in it, and what a person can do there.

import { PATIENCE, WatchedWindow } from "./watched_window.mjs";

export class ChatWindow extends WatchedWindow {
  /** Opens the page in a context of its own, as another person's browser would. */
  static async open(browser, url, name, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const window = new ChatWindow(name, context, page);
    await page.goto(url);
    await page.locator("#name").waitFor();
    return window;
  }

  get whose() {
    return `${this.name} (${this.feed})`;
  }

  /** Joins with the mouse and the keyboard. */
  async join(feed) {
    this.feed = feed;
    await this.page.locator("#name").click();
    await this.page.keyboard.type(this.name);
    // A person clicks on the label: the radio button itself may be drawn by it.
    const radio = this.page.locator(`input[name=feed][value=${feed}]`);
    const label = await radio.evaluateHandle((input) => input.labels?.[0] ?? input);
    await label.asElement().click();
    await this.page.locator("#enter").click();
    await this.joined();
  }

  async joined() {
    await this.page.locator("#text").waitFor();
    await this.until(
      "itself among those who are here",
      (name) => [...document.querySelectorAll("#people > *")].some((item) => item.textContent.includes(name)),
      this.name,
    );
  }

  /** Waits until exactly these messages, each [who, what], are shown once and in this order. */
  async sees(messages) {
    await this.until(
      `${messages.length} messages, each once and in order`,
      (wanted) => {
        const text = (item, part) => item.querySelector(part)?.textContent.trim() ?? "";
        const known = new Set(wanted.map(([, what]) => what));
        // Joins and leaves may stand in the list too.
        const shown = [...document.querySelectorAll("#messages > *")]
          .map((item) => [text(item, ".who"), text(item, ".what")])
          .filter(([, what]) => known.has(what));
        return JSON.stringify(shown) === JSON.stringify(wanted);
      },
      messages,
    );
  }

  /** Waits until exactly these people are here. */
  async seesPeople(names) {
    await this.until(
      `exactly ${names.join(", ")} among those who are here`,
      (wanted) => {
        const items = [...document.querySelectorAll("#people > *")].map((item) => item.textContent);
        return items.length === wanted.length && wanted.every((name) => items.some((item) => item.includes(name)));
      },
      names,
    );
  }

  /** The plain numbers of a way's row in the costs table. */
  async costs(feed = this.feed) {
    return this.page.evaluate((way) => {
      const row = document.querySelector(`#costs tr[data-feed=${way}]`);
      const number = (name) => {
        const cell = row?.querySelector(`.${name}`);
        return Number(cell?.dataset.value ?? cell?.textContent);
      };
      return { requests: number("requests"), sent: number("sent"), received: number("received") };
    }, feed);
  }

  /** Presses Tab until the element has the focus. */
  async tabTo(selector) {
    for (let presses = 0; presses <= MOST_TABS; presses += 1) {
      if (await this.page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`${selector} has no focus after ${MOST_TABS} presses of Tab`);
  }

  /** Joins without a mouse: Tab, arrow keys, Enter. */
  async joinByKeyboard(feed) {
    this.feed = feed;
    const { keyboard } = this.page;
    await this.tabTo("input[name=feed]");
    // An arrow key moves to the next radio button of the group and checks it, round and round.
    const isChosen = () => this.page.locator(`input[name=feed][value=${feed}]`).isChecked();
    for (let presses = 0; presses < 3 && !(await isChosen()); presses += 1) await keyboard.press("ArrowDown");
    if (!(await isChosen())) throw new Error(`the arrow keys do not reach the way ${feed}`);
    await this.tabTo("#name");
    await keyboard.type(this.name);
    await this.tabTo("#enter");
    await keyboard.press("Enter");
    await this.joined();
  }

  /** Elements a person must operate that say nothing to a screen reader. */
  async nameless() {
    const session = await this.context.newCDPSession(this.page);
    await session.send("Accessibility.enable");
    const { root } = await session.send("DOM.getDocument");
    const selector = "input:not([type=hidden]), textarea, select, button";
    const { nodeIds } = await session.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector });
    const nameless = [];
    for (const nodeId of nodeIds) {
      const { nodes } = await session.send("Accessibility.getPartialAXTree", { nodeId, fetchRelatives: false });
      const { outerHTML } = await session.send("DOM.getOuterHTML", { nodeId });
      // What is not shown now is looked at when it is.
      if (nodes[0].ignored) continue;
      if (!nodes[0].name?.value?.trim()) nameless.push(`${outerHTML} has no name`);
    }
    await session.detach();
    // A placeholder gives a name too, but goes when one types.
    const unlabelled = await this.page.locator("input:not([type=hidden]), textarea, select").evaluateAll((fields) =>
      fields
        .filter((field) => !field.labels?.length && !field.ariaLabel && !field.hasAttribute("aria-labelledby"))
        .map((field) => `${field.outerHTML} has no label`),
    );
    return [...nameless, ...unlabelled];
  }
}

/** More presses than this page could need. */
const MOST_TABS = 40;
