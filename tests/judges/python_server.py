"""Judges a WebSocket client with Python `websockets` as the server.

usage: python_server.py -- COMMAND.. {url}

The command must send text and binary of every size in `payloads.SIZES`, with multi-byte
characters in the text, and a ping; check the echoes; close with 1000; print `probe ok` and exit
with status 0. When the server misbehaves it must say so in a line, without a panic, and exit with
another status.
"""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

import process
import tap
from payloads import SIZES
from tap import Failed, expect


class Connection(ServerConnection):
    """Keeps what came in: `websockets` answers pings and Closes without telling."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.pings = 0

    def process_event(self, event):
        opcode = getattr(event, "opcode", None)
        self.pings += opcode is Opcode.PING
        super().process_event(event)


class Visit:
    """One run of the client against one server."""

    def __init__(self):
        self.sizes = {"text": [], "binary": []}
        self.multi_byte = 0
        self.connections = []
        self.status = None
        self.output = ""

    def note(self, message):
        if isinstance(message, str):
            data = message.encode()
            self.sizes["text"].append(len(data))
            self.multi_byte += len(data) > len(message)
        else:
            self.sizes["binary"].append(len(message))


async def visit(command, handler, **options):
    """Serves on a free port, runs the client, gives what both saw."""
    seen = Visit()

    async def handle(ws):
        seen.connections.append(ws)
        try:
            await handler(ws, seen)
        except ConnectionClosed:
            pass

    settings = dict(max_size=None, ping_interval=None, create_connection=Connection)
    async with serve(handle, "127.0.0.1", 0, **(settings | options)) as server:
        port = server.sockets[0].getsockname()[1]
        arguments = [part.replace("{url}", f"ws://127.0.0.1:{port}") for part in command]
        seen.status, seen.output = await process.run(arguments)
    return seen


async def echo(ws, seen):
    async for message in ws:
        seen.note(message)
        await ws.send(message)


def only_connection(seen):
    expect("number of connections", len(seen.connections), 1)
    return seen.connections[0]


def must_succeed(seen):
    if seen.status != 0:
        raise Failed(f"the client exited with {seen.status}: {last_line(seen.output)}")
    if "probe ok" not in seen.output.splitlines():
        raise Failed(f"the client did not print `probe ok`: {last_line(seen.output)}")


def must_complain(seen):
    """The client noticed: a status of its own choice, a line of explanation, no panic."""
    if seen.status == 0:
        raise Failed("the client noticed nothing")
    if seen.status < 0:
        raise Failed(f"the client was ended by signal {-seen.status}")
    if seen.status == 101 or "panicked at" in seen.output:
        raise Failed(f"the client panicked: {last_line(seen.output)}")
    if not seen.output.strip():
        raise Failed("the client failed without a word")


def last_line(text):
    return (text.strip().splitlines() or ["it printed nothing"])[-1]


class Judge:
    def __init__(self, command):
        self.command = command

    def checks(self):
        checks = [
            ("the probe passes, closes with 1000", self.passes),
            ("every size as text and as binary", self.sizes),
            ("text holds multi-byte characters", self.multi_byte),
            ("a ping came", self.ping),
            ("a server that would compress: nothing is compressed", self.compression),
            ("echoes in fragments, with pings between them", self.fragmented_echo),
        ]
        for code in (1000, 1001, 1011, 3000, 4999):
            checks.append((f"close {code} by the server is answered with {code}", self.closed_by_server(code)))
        checks += [
            ("a wrong echo is noticed", self.wrong_echo),
            ("an echo of the other kind is noticed", self.wrong_kind),
            ("invalid UTF-8 from the server gets 1007", self.violation(b"\x81\x01\xff", 1007)),
            ("a masked frame from the server gets 1002", self.violation(b"\x81\x81\x00\x00\x00\x00x", 1002)),
            ("a reserved bit from the server gets 1002", self.violation(b"\xc1\x01x", 1002)),
            ("a refused handshake is noticed", self.refused),
        ]
        return checks

    async def passes(self):
        seen = await visit(self.command, echo)
        must_succeed(seen)
        expect("close code", only_connection(seen).protocol.close_rcvd.code, 1000)

    async def sizes(self):
        seen = await visit(self.command, echo)
        for kind, sizes in seen.sizes.items():
            expect(f"sizes of {kind}", sorted(sizes), sorted(SIZES))

    async def multi_byte(self):
        seen = await visit(self.command, echo)
        wanted = sum(size >= 125 for size in SIZES)
        if seen.multi_byte < wanted:
            raise Failed(f"{seen.multi_byte} texts with multi-byte characters instead of {wanted}")

    async def ping(self):
        seen = await visit(self.command, echo)
        if only_connection(seen).pings < 1:
            raise Failed("no ping came")

    async def compression(self):
        seen = await visit(self.command, echo, compression="deflate")
        must_succeed(seen)
        expect("extensions", only_connection(seen).protocol.extensions, [])

    async def fragmented_echo(self):
        async def handler(ws, seen):
            async for message in ws:
                # A character may be cut: `send` would refuse to do that to a string.
                data = message.encode() if isinstance(message, str) else message
                third = len(data) // 3
                first = 0x01 if isinstance(message, str) else 0x02
                self.write(ws, first, data[:third])
                self.write(ws, 0x89, b"between")
                self.write(ws, 0x00, data[third : 2 * third])
                self.write(ws, 0x80, data[2 * third :])

        must_succeed(await visit(self.command, handler))

    @staticmethod
    def write(ws, first_byte, data):
        """An unmasked frame, as a server sends it (RFC 6455 section 5.2)."""
        if len(data) <= 125:
            length = bytes([len(data)])
        elif len(data) <= 0xFFFF:
            length = b"\x7e" + len(data).to_bytes(2, "big")
        else:
            length = b"\x7f" + len(data).to_bytes(8, "big")
        ws.transport.write(bytes([first_byte]) + length + data)

    def closed_by_server(self, code):
        async def handler(ws, seen):
            await ws.recv()
            await ws.close(code, "enough")

        async def check():
            seen = await visit(self.command, handler)
            must_complain(seen)
            answer = only_connection(seen).protocol.close_rcvd
            expect("code of the answer", answer.code if answer else 1006, code)
        return check

    async def wrong_echo(self):
        async def handler(ws, seen):
            async for message in ws:
                if isinstance(message, bytes) and len(message) == SIZES[-1]:
                    message = message[:-1] + bytes([message[-1] ^ 1])
                await ws.send(message)

        must_complain(await visit(self.command, handler))

    async def wrong_kind(self):
        async def handler(ws, seen):
            async for message in ws:
                await ws.send(message.encode() if isinstance(message, str) else message)

        must_complain(await visit(self.command, handler))

    def violation(self, frame, code):
        async def handler(ws, seen):
            await ws.recv()
            ws.transport.write(frame)
            await ws.wait_closed()

        async def check():
            seen = await visit(self.command, handler)
            must_complain(seen)
            answer = only_connection(seen).protocol.close_rcvd
            expect("close code", answer.code if answer else 1006, code)
        return check

    async def refused(self):
        def refuse(ws, request):
            return ws.respond(401, "who are you?\n")

        seen = await visit(self.command, echo, process_request=refuse)
        must_complain(seen)
        if "401" not in seen.output:
            raise Failed(f"the status 401 is not told: {last_line(seen.output)}")


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "--":
        sys.exit("usage: python_server.py -- COMMAND.. {url}")
    sys.exit(asyncio.run(tap.run(Judge(sys.argv[2:]).checks())))


main()
