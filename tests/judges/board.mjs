// Judges the page of a board, and the board as a member of the desktop's chat, in headless Chromium.
//
// usage: node board.mjs --board HOST:PORT --seen-as ADDRESS --chromium PATH --screens FOLDER -- COMMAND..
//
// The command starts the chat and prints its address, http://127.0.0.1:PORT, in its first line; the
// board reaches that port at ADDRESS. The checks tell one story: each stands on those before it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { BoardWindow } from "./board_window.mjs";
import { ChatWindow } from "./chat_window.mjs";
import { expect, run, within } from "./tap.mjs";
import { PATIENCE } from "./watched_window.mjs";

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(["board", "seen-as", "chromium", "screens"].map((name) => [name, { type: "string" }])),
});
if (Object.keys(values).length < 4 || command.length === 0) {
  console.error(
    "usage: node board.mjs --board HOST:PORT --seen-as ADDRESS --chromium PATH --screens FOLDER -- COMMAND..",
  );
  process.exit(2);
}

/** Milliseconds: several conditions of a check may each need the patience for one. */
const CHECK_BOUND = 4 * PATIENCE;

const PHONE = { viewport: { width: 375, height: 700 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** The state of the story. */
const story = { windows: [] };

const status = await run(
  [
    ["a person comes in, by keyboard alone", adaComes],
    ["a second one comes in, both see it", benComes],
    ["what each of them says is shown in both windows, as text", bothTalk],
    ["the reading changes in both windows", readings],
    ["a name that is taken: the page says so, and another one will do", takenName],
    ["on a phone: nothing to scroll sideways, the field and the button in view", phone],
    ["`/join` of an address that is none: the page shows how to say it", badJoin],
    ["`/join`: the page of the desktop's chat sees the board come", boardComes],
    ["what is said on the desktop's page is shown on the board's", thereToHere],
    ["what is said on the board's page is shown on the desktop's", hereToThere],
    ["`/leave`: the page of the desktop's chat sees the board go", boardGoes],
    ["who closes the window has left", adaSeesBenGo],
    ["no window complained on its console", noComplaints],
    ["no window talked to another host", noOtherHost],
  ],
  CHECK_BOUND,
);
story.chat?.kill("SIGKILL");
await story.browser?.close();
process.exit(status);

async function adaComes() {
  story.browser = await chromium.launch({
    executablePath: values.chromium,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  story.ada = await open("Ada");
  await screenshot(story.ada, "before");
  // The field has the focus.
  await story.ada.page.keyboard.type("Ada");
  await story.ada.page.keyboard.press("Enter");
  await story.ada.isInside();
}

async function benComes() {
  story.ben = await open("Ben", { colorScheme: "dark" });
  await story.ben.comeIn();
  await story.ada.sees("Ben joined");
}

async function bothTalk() {
  const { ada, ben } = story;
  await ada.say("Good morning, <b>everyone</b> & all: é € \u{1f642}");
  await ben.sees("Ada: Good morning, <b>everyone</b> & all: é € \u{1f642}");
  await ben.say("Morning, Ada");
  for (const window of [ada, ben]) {
    await window.sees("Ben: Morning, Ada");
    await window.sees("Ada: Good morning, <b>everyone</b> & all: é € \u{1f642}");
  }
}

async function readings() {
  for (const window of [story.ada, story.ben]) {
    const first = await window.reading("");
    const second = await window.reading(first);
    await window.reading(second);
  }
  await screenshot(story.ada, "talk");
  await screenshot(story.ben, "talk-dark");
}

async function takenName() {
  const window = await open("Ada");
  await window.comeIn(false);
  await window.sees("somebody here has that name");
  window.name = "Cleo";
  await window.comeIn();
  await story.ada.sees("Cleo joined");
  await window.leave();
  await story.ada.sees("Cleo left");
}

async function phone() {
  const emil = await open("Emil", PHONE);
  await emil.fits(PHONE.viewport);
  await screenshot(emil, "phone-before");
  await emil.comeIn();
  for (let line = 1; line <= 30; line += 1) await emil.say(`line ${line}`);
  // A word without an end must not push the page apart.
  await emil.say("w".repeat(200));
  await emil.sees(`Emil: ${"w".repeat(200)}`);
  await emil.fits(PHONE.viewport);
  await emil.showsTheNewest();
  await screenshot(emil, "phone");
  await emil.leave();
  await story.ada.sees("Emil left");
}

async function badJoin() {
  await story.ada.say("/join nonsense");
  await story.ada.sees("say /join ws://HOST:PORT/ws");
}

async function boardComes() {
  const [program, ...rest] = command;
  story.chat = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
  const [first] = await within(PATIENCE, once(createInterface({ input: story.chat.stdout }), "line"));
  const found = /http:\/\/127\.0\.0\.1:([1-9][0-9]*)/.exec(first);
  if (!found) throw new Error(`the first line holds no address: ${first}`);
  story.eve = await ChatWindow.open(story.browser, found[0], "Eve");
  story.windows.push(story.eve);
  await story.eve.join("websocket");
  await story.ada.say(`/join ws://${values["seen-as"]}:${found[1]}/ws`);
  await story.eve.until("the board among those who are here", () =>
    [...document.querySelectorAll("#people > *")].some((item) => item.textContent.includes("lm3s6965-")),
  );
}

async function thereToHere() {
  await story.eve.say("Hello from the desktop, é");
  for (const window of [story.ada, story.ben]) await window.sees("Eve: Hello from the desktop, é");
}

async function hereToThere() {
  await story.ben.say("Hello from the board, €");
  await story.eve.until("what Ben said", () =>
    [...document.querySelectorAll("#messages > *")].some((item) => {
      const part = (name) => item.querySelector(name)?.textContent.trim() ?? "";
      return part(".who").startsWith("lm3s6965-") && part(".what") === "Ben: Hello from the board, €";
    }),
  );
  await screenshot(story.ada, "both");
  await screenshot(story.eve, "desktop");
}

async function boardGoes() {
  await story.ada.say("/leave");
  await story.eve.seesPeople(["Eve"]);
}

async function adaSeesBenGo() {
  await story.ben.leave();
  await story.ada.sees("Ben left");
  await story.ada.leave();
}

async function noComplaints() {
  expect("complaints", story.windows.flatMap((window) => window.complaints).join("; "), "");
}

async function noOtherHost() {
  const addresses = story.windows.flatMap((window) => window.addresses);
  const other = addresses.filter((address) => {
    const { protocol, hostname } = new URL(address);
    return hostname !== "127.0.0.1" && !["data:", "blob:"].includes(protocol);
  });
  expect("other addresses", other.join(" "), "");
  if (!addresses.some((address) => address === `ws://${values.board}/chat`)) {
    throw new Error("no WebSocket to the board was seen at all");
  }
}

/** Opens a window of the board's page. */
async function open(name, options) {
  const window = await BoardWindow.open(story.browser, `http://${values.board}/`, name, options);
  story.windows.push(window);
  return window;
}

async function screenshot(window, name) {
  await window.page.screenshot({ path: join(values.screens, `board-${name}.png`) });
}
