// Prints checks in the Test Anything Protocol: the plan first, then a line for each check.

/** Milliseconds one check may take. A peer that is silent must not hold up the others. */
export const CHECK_BOUND = 20_000;

/** Fails unless the two are equal; long values are shown by their beginning. */
export function expect(what, found, wanted) {
  const same = Buffer.isBuffer(found) && Buffer.isBuffer(wanted) ? found.equals(wanted) : found === wanted;
  if (!same) throw new Error(`${what}: ${shorten(found)} instead of ${shorten(wanted)}`);
}

export function shorten(value) {
  const text = Buffer.isBuffer(value) ? value.toString("hex") : JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 60)}.. (${value.length} long)`;
}

/** Runs [name, async function] pairs one after the other. Gives the exit status. */
export async function run(checks, bound = CHECK_BOUND) {
  console.log(`1..${checks.length}`);
  let number = 0;
  let status = 0;
  for (const [name, check] of checks) {
    number += 1;
    try {
      await within(bound, check());
      console.log(`ok ${number} - ${name}`);
    } catch (error) {
      status = 1;
      console.log(`not ok ${number} - ${name}`);
      console.log(`# ${reason(error)}`);
    }
  }
  return status;
}

/** One line for any error; the second and third line of Playwright's name what it waited for. */
function reason(error) {
  const lines = String(error.message ?? error).replace(/\x1b\[[0-9;]*m/g, "").split("\n");
  return lines.map((line) => line.trim()).filter(Boolean).slice(0, 3).join(" ").slice(0, 300);
}

/** The promise's value, or an error after so many milliseconds. */
export async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
