"""Prints checks in the Test Anything Protocol: the plan first, then a line for each check."""

import asyncio

# Seconds one check may take. A peer that is silent must not hold up the others.
CHECK_BOUND = 20


class Failed(Exception):
    """A check did not see what it should have seen."""


def expect(what, found, wanted):
    """Fails unless the two are equal; long values are shown by their beginning."""
    if found != wanted:
        raise Failed(f"{what}: {shorten(found)} instead of {shorten(wanted)}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}.. ({len(value)} long)"


async def run(checks):
    """Runs (name, coroutine function) pairs one after the other. Gives the exit status."""
    print(f"1..{len(checks)}", flush=True)
    failed = 0
    for number, (name, check) in enumerate(checks, 1):
        try:
            async with asyncio.timeout(CHECK_BOUND):
                await check()
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            print(f"# {reason(error)}", flush=True)
    return 1 if failed else 0


def reason(error):
    """One line for any error. A timeout has no text of its own."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"nothing within {CHECK_BOUND} s"
    if isinstance(error, Failed):
        return str(error)
    first_line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line}"
