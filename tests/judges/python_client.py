"""Judges an echo server with Python `websockets` as the client.

usage: python_client.py ws://127.0.0.1:PORT --max-message BYTES

The server must have been started with this limit and with the subprotocols a and b.
"""

import argparse
import asyncio
import http.client
import sys
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

import tap
from payloads import SIZES, bytes_of, text_of
from tap import Failed, expect

AT_ONCE = 100


class Judge:
    def __init__(self, url, limit):
        self.url = url
        self.limit = limit

    def connect(self, **options):
        settings = dict(compression=None, max_size=None, ping_interval=None, proxy=None)
        return connect(self.url, **(settings | options))

    def checks(self):
        checks = []
        for size in SIZES:
            checks.append((f"text of {size} bytes", self.echo(text_of(size))))
            checks.append((f"binary of {size} bytes", self.echo(bytes_of(size))))
        checks += [
            ("a message of exactly the limit", self.echo(bytes_of(self.limit))),
            ("text in fragments, cut inside a character", self.fragmented_text),
            ("binary in fragments, some of them empty", self.fragmented_binary),
            ("a ping between fragments", self.ping_between_fragments),
            ("ping without payload", self.ping(b"")),
            ("ping with 125 bytes", self.ping(bytes(range(125)))),
            ("three pings in flight", self.pings_in_flight),
            ("an offer of compression is declined, or kept", self.compression),
            ("the one subprotocol offered is chosen", self.subprotocol(["a"], ["a"])),
            ("one of two subprotocols is chosen", self.subprotocol(["b", "a"], ["a", "b"])),
            ("an unknown subprotocol in front is passed over", self.subprotocol(["x", "b"], ["b"])),
            ("only unknown subprotocols: none is chosen", self.subprotocol(["x"], [None])),
            ("no subprotocols: none is chosen", self.subprotocol(None, [None])),
        ]
        for code in (1000, 1001, 1003, 1011, 3000, 4999):
            checks.append((f"close {code} is answered with {code}", self.close(code)))
        checks += [
            ("a close without a code is answered without one", self.close_without_code),
            ("one byte over the limit gets 1009", self.over_limit(self.whole)),
            ("one byte over the limit, in fragments, gets 1009", self.over_limit(self.in_fragments)),
            ("text that is not UTF-8 gets 1007", self.invalid_text(b"a\xff")),
            ("text that ends inside a character gets 1007", self.invalid_text(b"a\xe2\x82")),
            (f"{AT_ONCE} connections at once", self.many),
            ("the Origin of another host is refused with 403", self.foreign_origin),
            ("the Origin of the same host is accepted", self.same_origin),
            ("a plain GET is answered with 426", self.plain_get),
        ]
        return checks

    def echo(self, message):
        async def check():
            async with self.connect() as ws:
                await ws.send(message)
                expect("echo", await ws.recv(), message)
        return check

    async def fragmented_text(self):
        data = "aé€\U0001f642".encode()
        async with self.connect() as ws:
            # Every cut, also in the middle of a character: only the whole message is text.
            for cut in range(1, len(data)):
                await self.send_frames(ws, [(Opcode.TEXT, data[:cut], False), (Opcode.CONT, data[cut:], True)])
                expect(f"echo, cut at {cut}", await ws.recv(), data.decode())

    async def fragmented_binary(self):
        parts = [b"", bytes_of(10), b"", bytes_of(70_000), b"c", b""]
        async with self.connect() as ws:
            await ws.send(parts)
            expect("echo", await ws.recv(), b"".join(parts))

    async def ping_between_fragments(self):
        async with self.connect() as ws:
            await self.send_frames(ws, [(Opcode.TEXT, b"one ", False)])
            pong = await ws.ping(b"between")
            # The Pong must not wait for the end of the message.
            await pong
            await self.send_frames(ws, [(Opcode.CONT, b"two", True)])
            expect("echo", await ws.recv(), "one two")

    @staticmethod
    async def send_frames(ws, frames):
        """Puts frames on the wire as they are given; `send` would not cut inside a character."""
        for opcode, data, fin in frames:
            frame = Frame(opcode, data, fin)
            ws.transport.write(frame.serialize(mask=True, extensions=[]))

    def ping(self, payload):
        async def check():
            async with self.connect() as ws:
                await (await ws.ping(payload))
        return check

    async def pings_in_flight(self):
        async with self.connect() as ws:
            pongs = [await ws.ping(bytes([65 + i])) for i in range(3)]
            # RFC 6455 section 5.5.3: only the newest of several pings must be answered.
            await pongs[-1]
            await ws.send("after")
            expect("echo", await ws.recv(), "after")

    async def compression(self):
        async with self.connect(compression="deflate") as ws:
            for message in ("", "a" * 100_000, bytes_of(300)):
                await ws.send(message)
                expect("echo", await ws.recv(), message)

    def subprotocol(self, offered, allowed):
        async def check():
            async with self.connect(subprotocols=offered) as ws:
                if ws.subprotocol not in allowed:
                    raise Failed(f"chose {ws.subprotocol!r} of {offered!r}")
                await ws.send("x")
                expect("echo", await ws.recv(), "x")
        return check

    def close(self, code):
        async def check():
            async with self.connect() as ws:
                await ws.close(code, "why, in é")
            expect("code of the answer", received_code(ws), code)
        return check

    async def close_without_code(self):
        async with self.connect() as ws:
            # RFC 6455 section 7.1.5: an empty Close reads as 1005, and is answered by an empty one.
            ws.transport.write(b"\x88\x80\x00\x00\x00\x00")
            await self.closed(ws)
        expect("code of the answer", received_code(ws), 1005)

    def over_limit(self, send):
        async def check():
            async with self.connect() as ws:
                await send(ws, bytes_of(self.limit + 1))
                await self.closed(ws)
            expect("close code", received_code(ws), 1009)
        return check

    @staticmethod
    async def whole(ws, data):
        try:
            await ws.send(data)
        except ConnectionClosed:
            pass  # The server may refuse at the header, before the payload is sent.

    @staticmethod
    async def in_fragments(ws, data):
        try:
            await ws.send([data[:1000], data[1000:-1], data[-1:]])
        except ConnectionClosed:
            pass

    def invalid_text(self, data):
        async def check():
            async with self.connect() as ws:
                await ws.send(data, text=True)
                await self.closed(ws)
            expect("close code", received_code(ws), 1007)
        return check

    @staticmethod
    async def closed(ws):
        """Waits until the server has closed; a message instead of that is a fault."""
        try:
            message = await ws.recv(decode=False)
        except ConnectionClosed:
            return
        raise Failed(f"a message came instead of a Close: {tap.shorten(message)}")

    async def many(self):
        everyone_is_there = asyncio.Barrier(AT_ONCE)

        async def one(number):
            async with self.connect() as ws:
                await everyone_is_there.wait()
                for message in (f"{number}", bytes_of(number * 50)):
                    await ws.send(message)
                    expect(f"echo of connection {number}", await ws.recv(), message)

        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                group.create_task(one(number))

    async def foreign_origin(self):
        for origin in ("http://elsewhere.example", "null", "http://127.0.0.1.elsewhere.example"):
            try:
                async with self.connect(origin=origin):
                    raise Failed(f"accepted the Origin {origin}")
            except InvalidStatus as refusal:
                expect(f"status for the Origin {origin}", refusal.response.status_code, 403)

    async def same_origin(self):
        async with self.connect(origin=f"http://{urlsplit(self.url).netloc}") as ws:
            await ws.send("x")
            expect("echo", await ws.recv(), "x")

    async def plain_get(self):
        def request():
            connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=tap.CHECK_BOUND)
            try:
                connection.request("GET", "/")
                response = connection.getresponse()
                response.read()
                return response
            finally:
                connection.close()

        response = await asyncio.to_thread(request)
        expect("status", response.status, 426)
        # RFC 9110 section 15.5.22: the answer names the protocol it wants.
        expect("Upgrade header", (response.getheader("Upgrade") or "").lower(), "websocket")


def received_code(ws):
    """The code of the Close that came; 1005 for an empty one, 1006 when none came."""
    received = ws.protocol.close_rcvd
    return received.code if received else 1006


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--max-message", type=int, required=True)
    options = parser.parse_args()
    sys.exit(asyncio.run(tap.run(Judge(options.url, options.max_message).checks())))


main()
