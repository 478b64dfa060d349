"""Judges how a board keeps its link to a desktop's chat that goes away and comes back.

usage: board_link.py HOST:PORT --seen-as ADDRESS -- CHAT

HOST:PORT is the board. CHAT is the program of the chat, which is started on the loopback
interface; the board reaches it at ADDRESS. The checks tell one story: each stands on those before it.
"""

import argparse
import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack

from websockets.asyncio.client import connect

import tap
from tap import Failed, expect

# What the board calls itself in the chat, with four random digits behind it.
BOARD = "lm3s6965-"


class Story:
    def __init__(self, options, stack):
        self.options = options
        self.stack = stack
        self.port = 0
        self.names = []

    def checks(self):
        return [
            ("the board is a member of the chat that somebody joins", self.join),
            ("what is said here is heard there, and the other way round", self.both_ways),
            ("the chat stops with a Close: started again, the board is a member again", self.goodbye),
            ("it hears and is heard again", self.both_ways),
            ("the chat is killed: started again, the board is a member again", self.kill),
            ("it hears and is heard again", self.both_ways),
            ("each time it had another name, so that it is not taken for its own ghost", self.other_names),
            ("it goes when somebody says /leave", self.leave),
            ("a chat that is not there is no reason to be deaf to another one", self.elsewhere),
            ("it hears and is heard there", self.both_ways),
            ("it goes", self.leave),
        ]

    async def join(self):
        await self.start()
        self.here = await self.stack.enter_async_context(ws(f"ws://{self.options.board}/chat"))
        await self.here.send("Ada")
        await self.hear_here(kind="joined", who="Ada")
        await self.here.send(f"/join {self.url()}")
        await self.board_comes()

    async def both_ways(self):
        await self.here.send("from here")
        await self.hear_there(kind="message", who=self.names[-1], what="Ada: from here")
        await self.there.send(json.dumps({"say": "from there, é"}))
        await self.hear_here(kind="message", who="Eve", what="from there, é")

    async def goodbye(self):
        self.chat.send_signal(signal.SIGINT)
        expect("exit status", await self.chat.wait(), 0)
        await self.start()
        await self.board_comes()

    async def kill(self):
        self.chat.kill()
        await self.chat.wait()
        await self.start()
        await self.board_comes()

    async def other_names(self):
        expect("names", len(set(self.names)), len(self.names))

    async def leave(self):
        await self.here.send("/leave")
        await self.hear_there(kind="left", who=self.names[-1])

    async def elsewhere(self):
        # Nobody listens at port 1.
        await self.here.send(f"/join ws://{self.options.seen_as}:1/ws")
        await self.here.send(f"/join {self.url()}")
        await self.board_comes()

    def url(self):
        return f"ws://{self.options.seen_as}:{self.port}/ws"

    async def start(self):
        """Starts the chat, on the same port as before, and comes in as Eve."""
        self.chat = await asyncio.create_subprocess_exec(
            self.options.chat, "--listen", f"127.0.0.1:{self.port}", stdout=asyncio.subprocess.PIPE
        )
        line = (await self.chat.stdout.readline()).decode().strip()
        if not line.startswith("http://127.0.0.1:"):
            raise Failed(f"the chat does not start: {line}")
        self.port = int(line.rsplit(":", 1)[1])
        self.there = await self.stack.enter_async_context(ws(f"ws://127.0.0.1:{self.port}/ws"))
        await self.there.send(json.dumps({"join": {"name": "Eve"}}))
        while "welcome" not in (heard := json.loads(await self.there.recv())):
            pass
        # The board may have been faster.
        self.present = heard["welcome"]["people"]

    async def board_comes(self):
        """Waits until the board is a member of the chat."""
        come = [name for name in self.present if name.startswith(BOARD)]
        while not come:
            heard = json.loads(await self.there.recv())
            if heard.get("kind") == "joined" and heard["who"].startswith(BOARD):
                come = [heard["who"]]
        self.present = []
        self.names += come

    async def hear_here(self, **wanted):
        await hear(self.here, wanted)

    async def hear_there(self, **wanted):
        await hear(self.there, wanted)


def ws(url):
    return connect(url, compression=None, ping_interval=None, proxy=None)


async def hear(socket, wanted):
    """Waits for this; other things may come before it."""
    while True:
        heard = json.loads(await socket.recv())
        if all(heard.get(name) == value for name, value in wanted.items()):
            return


async def story(options):
    async with AsyncExitStack() as stack:
        story = Story(options, stack)
        try:
            return await tap.run(story.checks())
        finally:
            if story.chat.returncode is None:
                story.chat.kill()
                await story.chat.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("board")
    parser.add_argument("--seen-as", required=True)
    parser.add_argument("chat")
    sys.exit(asyncio.run(story(parser.parse_args())))


main()
