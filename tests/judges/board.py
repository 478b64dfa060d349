"""Judges the room and the echo of a board with Python `websockets`.

usage: board.py HOST:PORT
"""

import argparse
import asyncio
import gzip
import http.client
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

import tap
from payloads import bytes_of, text_of
from tap import Failed, expect

# As many as the room holds.
PEOPLE = 4

# Seconds within which a board that refuses connections must have a slot again.
PATIENCE = 15


class Judge:
    def __init__(self, host):
        self.host = host

    def checks(self):
        checks = []
        for size in (0, 125, 126, 511, 512, 513, 65_535, 65_536, 300_000):
            checks.append((f"text of {size} bytes", self.echo(text_of(size))))
            checks.append((f"binary of {size} bytes", self.echo(bytes_of(size))))
        return checks + [
            ("fragments of many sizes", self.fragments),
            ("pings between them", self.pings),
            ("two people talk", self.two_talk),
            ("a reading comes each second, and the clock goes on", self.readings),
            ("a name that is taken, and none at all: another one will do", self.names),
            ("the fifth is told that the room is full, and comes in when one leaves", self.full),
            ("who has come and who has gone is told, also of one whose connection broke", self.come_and_go),
            ("what is too long for the room is cut at a character", self.cut),
            ("one message larger than the board's buffer gets 1009", self.too_large),
            ("a binary message in the room gets 1003", self.binary),
            ("an address that is none is answered by how to say it", self.bad_address),
            ("who does not say a name in time gets 1008", self.silent),
            ("the page of another host gets 403, that of the board comes in", self.origins),
            ("the page is HTML in gzip, of the length it says", self.page),
            ("HEAD is answered like GET, without the content", self.head),
            ("/status counts people and connections", self.status),
        ]

    @asynccontextmanager
    async def open(self, path, **options):
        """A connection. A board whose slots are all taken refuses: then again."""
        settings = dict(compression=None, max_size=None, ping_interval=None, proxy=None)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    ws = await connect(f"ws://{self.host}{path}", **(settings | options))
                    break
                except (ConnectionError, EOFError, InvalidHandshake) as error:
                    if not refused(error):
                        raise
        async with ws:
            yield ws

    @asynccontextmanager
    async def person(self, name):
        """Somebody who is in the room."""
        async with self.open("/chat") as ws:
            person = Person(name, ws)
            await ws.send(name)
            await person.hears(kind="joined", who=name)
            yield person

    def echo(self, message):
        async def check():
            async with self.open("/echo") as ws:
                await ws.send(message)
                expect("echo", await ws.recv(), message)
        return check

    async def fragments(self):
        async with self.open("/echo") as ws:
            for sizes in ([1, 0, 1], [600, 600], [100, 2_000, 0, 5], [70_000, 1]):
                parts = [bytes_of(size) for size in sizes]
                await ws.send(parts)
                expect("echo", await ws.recv(), b"".join(parts))

    async def pings(self):
        async with self.open("/echo") as ws:
            for size in (0, 1, 125):
                await (await ws.ping(bytes_of(size)))
                await ws.send("between")
                expect("echo", await ws.recv(), "between")

    async def two_talk(self):
        async with self.person("Ada") as ada, self.person("Ben") as ben:
            await ada.hears(kind="joined", who="Ben")
            for speaker, text in ((ada, "Good morning"), (ben, 'é € \U0001f642 "<b>" \\'), (ada, "x" * 200)):
                await speaker.ws.send(text)
                for one in (ada, ben):
                    await one.hears(kind="message", who=speaker.name, what=text)

    async def readings(self):
        async with self.person("Ada") as ada:
            uptimes = [(await ada.hears_reading())["uptime"] for _ in range(3)]
            expect("seconds between", [b - a for a, b in zip(uptimes, uptimes[1:])], [1, 1])

    async def names(self):
        async with self.person("Ada"), self.open("/chat") as ws:
            other = Person("?", ws)
            for name, error in (
                ("Ada", "somebody here has that name"),
                (" Ada ", "somebody here has that name"),
                ("", "a name has 1 to 32 bytes"),
                ("  ", "a name has 1 to 32 bytes"),
                ("n" * 33, "a name has 1 to 32 bytes"),
                ("a\tb", "a name has 1 to 32 bytes"),
            ):
                await ws.send(name)
                await other.hears(error=error)
            await ws.send("n" * 32)
            await other.hears(kind="joined", who="n" * 32)

    async def full(self):
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(self.person(f"p{n}")) for n in range(PEOPLE)]
            fifth = Person("p4", await stack.enter_async_context(self.open("/chat")))
            await fifth.ws.send("p4")
            await fifth.hears(error="the room is full")
            await people[0].ws.close()
            for number in range(2, PEOPLE):
                await people[1].hears(kind="joined", who=f"p{number}")
            await people[1].hears(kind="left", who="p0")
            await fifth.ws.send("p4")
            await fifth.hears(kind="joined", who="p4")
            await people[1].hears(kind="joined", who="p4")

    async def come_and_go(self):
        async with self.person("Ada") as ada:
            async with self.person("Ben") as ben:
                await ada.hears(kind="joined", who="Ben")
                expect("close", await closed(ben.ws, 1000), 1000)
            await ada.hears(kind="left", who="Ben")
            async with self.person("Cleo") as cleo:
                await ada.hears(kind="joined", who="Cleo")
                cleo.ws.transport.abort()
                await ada.hears(kind="left", who="Cleo")

    async def cut(self):
        async with self.person("Ada") as ada:
            await ada.ws.send("é" * 150)
            await ada.hears(kind="message", who="Ada", what="é" * 100)
            await ada.ws.send("x" + "é" * 150)
            await ada.hears(kind="message", who="Ada", what="x" + "é" * 99)

    async def too_large(self):
        async with self.person("Ada") as ada:
            await ada.ws.send("x" * 512)
            await ada.hears(kind="message", who="Ada", what="x" * 200)
            await ada.ws.send("x" * 513)
            expect("close", await closed(ada.ws), 1009)

    async def binary(self):
        async with self.open("/chat") as ws:
            await ws.send(b"Ada")
            expect("close", await closed(ws), 1003)
        async with self.person("Ada") as ada:
            await ada.ws.send(b"hello")
            expect("close", await closed(ada.ws), 1003)

    async def bad_address(self):
        async with self.person("Ada") as ada:
            for address in ("", "nonsense", "http://10.0.2.2/ws", "ws://", "ws://a:99999/"):
                await ada.ws.send(f"/join {address}")
                await ada.hears(error="say /join ws://HOST:PORT/ws")
            await ada.ws.send(f"/join ws://10.0.2.2:1/{'x' * 96}")
            await ada.hears(error="the address is longer than 96 bytes")
            await ada.ws.send("/joint")
            await ada.hears(kind="message", who="Ada", what="/joint")

    async def silent(self):
        async with self.open("/chat") as ws:
            expect("close", await closed(ws), 1008)
            expect("reason", ws.protocol.close_rcvd.reason, "no name in time")

    async def origins(self):
        for origin, status in (
            ("http://elsewhere.example", 403),
            ("null", 403),
            (f"http://{self.host}.elsewhere.example", 403),
            (f"http://{self.host}", 101),
        ):
            headers = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Origin": origin,
            }
            expect(origin, (await self.request("GET", "/chat", headers)).status, status)

    async def page(self):
        response = await self.request("GET", "/")
        expect("status", response.status, 200)
        expect("type", response.getheader("Content-Type"), "text/html; charset=utf-8")
        expect("encoding", response.getheader("Content-Encoding"), "gzip")
        expect("length", int(response.getheader("Content-Length")), len(response.content))
        page = gzip.decompress(response.content).decode()
        expect("the beginning", page[:15], "<!doctype html>")

    async def head(self):
        get, head = [await self.request(method, "/") for method in ("GET", "HEAD")]
        expect("status", head.status, 200)
        expect("length", head.getheader("Content-Length"), get.getheader("Content-Length"))
        expect("content", head.content, b"")
        for path in ("/", "/status"):
            expect(f"POST {path}", (await self.request("POST", path)).status, 405)

    async def status(self):
        expect("before", await self.counts(0, 1), True)
        async with self.person("Ada"), self.person("Ben"), self.open("/echo"):
            expect("two people and an echo", await self.counts(2, 4), True)
        expect("behind", await self.counts(0, 1), True)

    async def counts(self, people, connections):
        """Waits for these numbers: who closed may still be counted for a moment."""
        while True:
            response = await self.request("GET", "/status")
            expect("type", response.getheader("Content-Type"), "application/json")
            status = json.loads(response.content)
            expect("fields", sorted(status), ["board", "connections", "people", "stack_free", "uptime"])
            if (status["people"], status["connections"]) == (people, connections):
                return True

    async def request(self, method, path, headers={}):
        """An answer with its `content`; of a WebSocket, which is then dropped, only the head."""

        def once():
            connection = http.client.HTTPConnection(self.host, timeout=tap.CHECK_BOUND)
            try:
                connection.request(method, path, headers=headers)
                response = connection.getresponse()
                response.content = b"" if response.status == 101 else response.read()
                return response
            finally:
                connection.close()

        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await asyncio.to_thread(once)
                except (ConnectionError, http.client.RemoteDisconnected) as error:
                    if isinstance(error, ConnectionRefusedError):
                        raise


class Person:
    """Somebody with a connection to the room, and what they hear."""

    def __init__(self, name, ws):
        self.name = name
        self.ws = ws

    async def hears(self, **wanted):
        """The next thing besides readings must say this."""
        while "uptime" in (heard := json.loads(await self.ws.recv())):
            pass
        found = {name: heard.get(name) for name in wanted}
        expect(f"what {self.name} hears", found, wanted)

    async def hears_reading(self):
        while "uptime" not in (heard := json.loads(await self.ws.recv())):
            pass
        return heard


def refused(error):
    """Whether the board had no slot: the emulator accepts, and then ends the connection."""
    if isinstance(error, ConnectionRefusedError):
        return False
    return isinstance(error, (ConnectionError, EOFError)) or isinstance(error.__cause__, (ConnectionError, EOFError))


async def closed(ws, code=None):
    """The code of the Close that comes, after closing with `code` if there is one."""
    if code is not None:
        await ws.close(code)
    try:
        while True:
            heard = await ws.recv()
            if '"uptime"' not in heard and '"joined"' not in heard:
                raise Failed(f"a message came instead of a Close: {tap.shorten(heard)}")
    except ConnectionClosed:
        received = ws.protocol.close_rcvd
        return received.code if received else 1006


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    options = parser.parse_args()
    sys.exit(asyncio.run(tap.run(Judge(options.host).checks())))


main()
