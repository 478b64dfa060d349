// Judges the chat example as people see it, in headless Chromium.
//
// usage: node browser.mjs --chromium PATH --screens FOLDER [--echo PARAMS@URL].. -- COMMAND..
//
// The command starts the chat and prints its address, http://127.0.0.1:PORT, in its first line.
// The checks tell one story: each stands on those before it. Those of the echo servers, which
// compress as their PARAMS say, only need its browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { ChatWindow } from "./chat_window.mjs";
import { talk } from "./deflate_page.mjs";
import { expect, run, within } from "./tap.mjs";
import { PATIENCE } from "./watched_window.mjs";

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    chromium: { type: "string" },
    screens: { type: "string" },
    echo: { type: "string", multiple: true, default: [] },
  },
});
if (!values.chromium || !values.screens || command.length === 0) {
  console.error("usage: node browser.mjs --chromium PATH --screens FOLDER [--echo PARAMS@URL].. -- COMMAND..");
  process.exit(2);
}

/** Milliseconds: several conditions of a check may each need the patience for one. */
const CHECK_BOUND = 4 * PATIENCE;

const PHONE = { width: 375, height: 700 };

/** What the windows say, in the order in which they say it. */
const SAID = [
  ["Ada", "Good morning, <b>everyone</b> & all: é € \u{1f642}"],
  ["Ben", "Morning, Ada"],
  ["Cleo", "Hello from the third window"],
];

/** The state of the story. */
const story = { windows: [] };

const status = await run(
  [
    ["the chat starts and says where it listens", start],
    ["three windows join, each fed in another way", threeJoin],
    ["every input has a label, before and after joining", labels],
    ["what one types with the keyboard is shown in all three", firstSpeaks],
    ["what each of the others says is shown in all three", othersSpeak],
    ["one who joins late, by keyboard alone, sees the history", lateJoin],
    ["who is here: four names in every window", people],
    ["the keyboard alone is enough to send", sendByKeyboard],
    ["the costs are numbers above 0 in every window", costs],
    ["the requests shown are the requests made", honestRequests],
    ["the window with the WebSocket receives on its one request", oneRequest],
    ["on a phone: nothing to scroll sideways, the send button in view", phone],
    ...values.echo.map((echo) => compressed(...echo.split("@"))),
    ["no window complained on its console", noComplaints],
    ["no window talked to another host", noOtherHost],
    ["SIGINT: the chat exits with 0, the WebSocket is closed with 1001", interrupt],
  ],
  CHECK_BOUND,
);
await finish();
process.exit(status);

/** Stops what still runs, whatever the checks came to. */
async function finish() {
  story.chat?.kill("SIGKILL");
  await story.browser?.close();
}

async function start() {
  const [program, ...rest] = command;
  const chat = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
  story.chat = chat;
  story.exit = once(chat, "exit");
  const lines = createInterface({ input: chat.stdout });
  const [first] = await within(PATIENCE, Promise.race([once(lines, "line"), story.exit.then(() => ["nothing"])]));
  const found = /http:\/\/127\.0\.0\.1:[1-9][0-9]*/.exec(first);
  if (!found) throw new Error(`the first line holds no address: ${first}`);
  story.url = found[0];
  story.browser = await chromium.launch({
    executablePath: values.chromium,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Opens a window that counts for the checks on all windows. */
async function open(name, options) {
  if (!story.browser) throw new Error("there is no browser");
  const window = await ChatWindow.open(story.browser, story.url, name, options);
  story.windows.push(window);
  return window;
}

function three() {
  if (!story.three) throw new Error("the three windows did not join");
  return story.three;
}

async function screenshot(window, name) {
  await window.page.screenshot({ path: join(values.screens, `${name}.png`) });
}

async function threeJoin() {
  const windows = [];
  for (const name of ["Ada", "Ben", "Cleo"]) windows.push(await open(name));
  await screenshot(windows[0], "desktop-before-joining");
  story.namelessBefore = await windows[0].nameless();
  const feeds = ["poll", "long-poll", "websocket"];
  await Promise.all(windows.map((window, i) => window.join(feeds[i])));
  story.three = windows;
}

async function labels() {
  const after = await three()[0].nameless();
  expect("fields without a label", [...story.namelessBefore, ...after].join("; "), "");
}

async function firstSpeaks() {
  const [ada] = three();
  await ada.say(SAID[0][1]);
  await Promise.all(three().map((window) => window.sees(SAID.slice(0, 1))));
}

async function othersSpeak() {
  const [, ben, cleo] = three();
  await ben.say(SAID[1][1]);
  await Promise.all(three().map((window) => window.sees(SAID.slice(0, 2))));
  await cleo.say(SAID[2][1]);
  await Promise.all(three().map((window) => window.sees(SAID)));
  await Promise.all(three().map((window) => screenshot(window, `desktop-${window.feed}`)));
}

async function lateJoin() {
  three();
  const dora = await open("Dora", { colorScheme: "dark" });
  await dora.joinByKeyboard("websocket");
  story.dora = dora;
  await dora.sees(SAID);
  await screenshot(dora, "desktop-dark");
}

function dora() {
  if (!story.dora) throw new Error("nobody joined late");
  return story.dora;
}

async function people() {
  const names = ["Ada", "Ben", "Cleo", "Dora"];
  await Promise.all([...three(), dora()].map((window) => window.seesPeople(names)));
}

async function sendByKeyboard() {
  const { keyboard } = dora().page;
  await dora().tabTo("#text");
  await keyboard.type("by Enter");
  await keyboard.press("Enter");
  SAID.push(["Dora", "by Enter"]);
  await dora().sees(SAID);
  await dora().tabTo("#text");
  await keyboard.type("by the button");
  await dora().tabTo("#send");
  await keyboard.press("Enter");
  SAID.push(["Dora", "by the button"]);
  await Promise.all([...three(), dora()].map((window) => window.sees(SAID)));
}

async function costs() {
  for (const window of [...three(), dora()]) {
    for (const [name, value] of Object.entries(await window.costs())) {
      if (!(value > 0)) throw new Error(`${window.name} (${window.feed}): ${name} is ${value}`);
    }
  }
}

/** The page's own figure against what the browser saw it do. */
async function honestRequests() {
  for (const window of three().slice(0, 2)) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const before = window.fetches;
      const { requests } = await window.costs();
      // A request that left between the two looks is no dishonesty.
      if (requests >= before && requests <= window.fetches) break;
      if (Date.now() > deadline) {
        throw new Error(`${window.name} (${window.feed}): shows ${requests} requests, made ${window.fetches}`);
      }
      await window.page.waitForEvent("request", { timeout: PATIENCE }).catch(() => {});
    }
  }
}

async function oneRequest() {
  const [ada, , cleo] = three();
  const before = await cleo.costs("websocket");
  const fetches = cleo.fetches;
  await ada.say("one more for the socket");
  SAID.push(["Ada", "one more for the socket"]);
  await cleo.sees(SAID);
  const after = await cleo.costs("websocket");
  expect("requests before", before.requests, 1);
  expect("requests after", after.requests, 1);
  expect("HTTP requests of the window meanwhile", cleo.fetches - fetches, 0);
  if (!(after.received > before.received)) {
    throw new Error(`received stays at ${after.received} bytes although a message came`);
  }
}

async function phone() {
  three();
  const emil = await open("Emil", { viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  await fits(emil, "#enter");
  await screenshot(emil, "phone-before-joining");
  await emil.join("websocket");
  await emil.sees(SAID);
  // A word without an end must not push the page apart.
  const long = "w".repeat(200);
  await emil.say(long);
  SAID.push(["Emil", long]);
  await emil.sees(SAID);
  await fits(emil, "#send");
  await screenshot(emil, "phone");
}

/** Unscrolled, the element lies inside the window, and the page is not wider than it. */
async function fits(window, selector) {
  const { left, top, right, bottom, width } = await window.page.locator(selector).evaluate((element) => {
    // A click of the story, or the focus, may have scrolled to it.
    window.scrollTo(0, 0);
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return { left, top, right, bottom, width: document.documentElement.scrollWidth };
  });
  if (width > PHONE.width) throw new Error(`the page is ${width} wide instead of ${PHONE.width}`);
  if (left < 0 || top < 0 || right > PHONE.width || bottom > PHONE.height) {
    throw new Error(`${selector} lies at ${left},${top} to ${right},${bottom}, outside 375 x 700`);
  }
}

/** An echo server that compresses as `params` say. */
function compressed(params, url) {
  return [`${params}: messages both ways, compressed`, () => talk(story.browser, url, params)];
}

async function noComplaints() {
  three();
  expect("complaints", story.windows.flatMap((window) => window.complaints).join("; "), "");
}

async function noOtherHost() {
  three();
  const addresses = story.windows.flatMap((window) => window.addresses);
  const other = addresses.filter((address) => {
    const { protocol, hostname } = new URL(address);
    return hostname !== "127.0.0.1" && !["data:", "blob:"].includes(protocol);
  });
  expect("other addresses", other.join(" "), "");
  if (!addresses.some((address) => address.startsWith("ws:"))) throw new Error("no WebSocket was seen at all");
}

async function interrupt() {
  const [, , cleo] = three();
  // Before the signal: the page may say something else soon after.
  const told = cleo.until("1001 in its status", () => document.querySelector("#status")?.textContent.includes("1001"));
  // Looked at below, once the chat is gone.
  told.catch(() => {});
  story.chat.kill("SIGINT");
  const [code, signal] = await within(PATIENCE, story.exit);
  expect("exit status", code ?? signal, 0);
  await told;
}
