"""Runs a client under test to its end."""

import asyncio


async def run(arguments):
    """Its exit status and all that it printed. Whoever is cancelled takes it along."""
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    return process.returncode, output.decode(errors="replace")
