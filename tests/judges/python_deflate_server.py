"""Judges the compression of a WebSocket client with Python `websockets` as the server.

usage: python_deflate_server.py -- COMMAND..

The command, with `--deflate=PARAMS --client URL` behind it, must be a client under test of
Autobahn's fuzzing server: ask for the number of cases, echo what comes in each, ask for the report.
"""

import asyncio
import sys

from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

import process
import tap
from deflate_exchange import exchange, terms
from tap import Failed

# The client's PARAMS, what the server wants, and what is agreed for the client and the server.
CASES = [
    ("takeover,threshold=0", dict(), (True, 15), (True, 15)),
    ("takeover,threshold=0", dict(server_max_window_bits=9, client_max_window_bits=8), (True, 8), (True, 9)),
    ("takeover,threshold=0", dict(server_max_window_bits=10, client_max_window_bits=9), (True, 9), (True, 10)),
    ("takeover,threshold=0", dict(client_no_context_takeover=True), (False, 15), (True, 15)),
    ("takeover,threshold=0", dict(server_no_context_takeover=True), (True, 15), (False, 15)),
    ("takeover,window=9,threshold=0", dict(), (True, 9), (True, 9)),
    ("takeover,window=9,threshold=0", dict(client_no_context_takeover=True), (False, 9), (True, 9)),
    ("window=10,threshold=0", dict(), (False, 10), (False, 10)),
    ("threshold=0", dict(), (False, 15), (False, 15)),
]


def check(command, params, wanted, client, server):
    async def run():
        judged = asyncio.get_running_loop().create_future()

        async def handle(ws):
            path = ws.request.path
            if path == "/getCaseCount":
                await ws.send("1")
            elif path.startswith("/runCase?"):
                try:
                    judged.set_result(await exchange(ws, client, server))
                except Exception as error:
                    judged.set_exception(error)

        factory = ServerPerMessageDeflateFactory(**wanted)
        settings = dict(compression=None, max_size=None, ping_interval=None)
        async with serve(handle, "127.0.0.1", 0, extensions=[factory], **settings) as listening:
            port = listening.sockets[0].getsockname()[1]
            arguments = [f"--deflate={params}", "--client", f"ws://127.0.0.1:{port}"]
            status, output = await process.run([*command, *arguments])
        if status != 0 or not judged.done():
            raise Failed(f"the client exited with {status}: {output.strip()}")
        judged.result()
    return run


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "--":
        sys.exit("usage: python_deflate_server.py -- COMMAND..")
    checks = [(f"{case[0]}: {terms(*case[2:])}", check(sys.argv[2:], *case)) for case in CASES]
    sys.exit(asyncio.run(tap.run(checks)))


main()
