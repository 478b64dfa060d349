"""What both roles of Python `websockets` send over a compressed connection, and expect back."""

from websockets.frames import Opcode

from payloads import DEFLATE_SIZES, noise_of, noise_text_of, repeating_of, text_of
from tap import Failed, expect

# A compressible message of at least this many bytes is less than half of it on the wire.
LONG = 1024

# Fits twice into the smallest window.
REPEATED = 100


class Wire:
    """Keeps of each message that comes whether it was compressed, and its bytes on the wire."""

    def __init__(self, ws):
        self.messages = []
        if len(ws.protocol.extensions) != 1:
            raise Failed(f"negotiated {ws.protocol.extensions}")
        self.deflate = ws.protocol.extensions[0]
        self.decode = self.deflate.decode
        self.deflate.decode = self.count

    def count(self, frame, **options):
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self.messages.append((frame.rsv1, len(frame.data)))
        elif frame.opcode is Opcode.CONT:
            compressed, size = self.messages[-1]
            self.messages[-1] = compressed, size + len(frame.data)
        return self.decode(frame, **options)

    def agreed(self):
        """What both ends agreed to, as `terms` writes it."""
        deflate = self.deflate
        return terms(
            (not deflate.remote_no_context_takeover, deflate.remote_max_window_bits),
            (not deflate.local_no_context_takeover, deflate.local_max_window_bits),
        )


def terms(peer, own):
    """(takeover, window bits) of what the peer sends, and of what this end sends."""
    name = {True: "takeover", False: "no takeover"}
    return ", ".join(f"{who}: {name[takeover]}, {bits} bits" for who, (takeover, bits) in (("peer", peer), ("own", own)))


async def exchange(ws, peer, own):
    """Fails unless this was agreed, and every message comes back compressed, and equal."""
    wire = Wire(ws)
    expect("agreed", wire.agreed(), terms(peer, own))
    for size in DEFLATE_SIZES:
        # Four of the longest would take most of the time, and prove no more.
        makers = [text_of, noise_of] if size == DEFLATE_SIZES[-1] else [text_of, noise_text_of, repeating_of, noise_of]
        for make in makers:
            await echoed(ws, wire, make(size), compressible=make in (text_of, repeating_of))
    # With takeover a message that came before costs next to nothing; without, as much as before.
    twice = noise_of(REPEATED)
    sizes = [await echoed(ws, wire, twice) for _ in range(2)]
    takeover, _ = peer
    if (sizes[1] < REPEATED / 2) != takeover or sizes[0] < REPEATED:
        raise Failed(f"the same {REPEATED} bytes came in {sizes[0]} bytes, and then in {sizes[1]}")


async def echoed(ws, wire, message, compressible=False):
    """Sends the message whole and in fragments. Gives the bytes on the wire of the first echo."""
    third = len(message) // 3
    parts = [message[:third], message[:0], message[third : 2 * third], message[2 * third :]]
    sizes = []
    for sent in (message, parts):
        before = len(wire.messages)
        await ws.send(sent)
        expect(f"echo of {len(message)} characters or bytes", await ws.recv(), message)
        expect("messages on the wire", len(wire.messages), before + 1)
        compressed, size = wire.messages[-1]
        # Nothing is gained by compressing nothing: it comes as it is.
        expect(f"{len(message)} came compressed", compressed, len(message) > 0)
        if compressible and len(message) >= LONG and size > len(message) / 2:
            raise Failed(f"{len(message)} came in {size} bytes")
        sizes.append(size)
    return sizes[0]
