"""Judges the compression of an echo server with Python `websockets` as the client.

usage: python_deflate_client.py ws://127.0.0.1:PORT --deflate PARAMS

The server must have been started with these PARAMS, one of those in OFFERS.
"""

import argparse
import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

import tap
from deflate_exchange import exchange, terms

# Both directions without takeover.
ALONE = dict(server_no_context_takeover=True, client_no_context_takeover=True)

# By the server's PARAMS: what the client offers, and what is agreed for the server and the client.
OFFERS = {
    "takeover,threshold=0": [
        (dict(), (True, 15), (True, 15)),
        (ALONE, (False, 15), (False, 15)),
        (dict(server_no_context_takeover=True), (False, 15), (True, 15)),
        (dict(client_no_context_takeover=True), (True, 15), (False, 15)),
        (dict(server_max_window_bits=8, client_max_window_bits=9), (True, 8), (True, 9)),
        (dict(server_max_window_bits=9, client_max_window_bits=10), (True, 9), (True, 10)),
        (dict(server_max_window_bits=10) | ALONE, (False, 10), (False, 15)),
    ],
    "takeover,window=9,threshold=0": [
        (dict(), (True, 9), (True, 9)),
        # This client's window cannot be limited.
        (dict(client_max_window_bits=None), (True, 9), (False, 15)),
    ],
    "window=10,threshold=0": [
        (dict(), (False, 10), (False, 10)),
        (dict(server_max_window_bits=9), (False, 9), (False, 10)),
    ],
}


def check(url, offer, server, client):
    async def run():
        factory = ClientPerMessageDeflateFactory(**offer)
        settings = dict(compression=None, max_size=None, ping_interval=None, proxy=None)
        async with connect(url, extensions=[factory], **settings) as ws:
            await exchange(ws, server, client)
    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--deflate", choices=OFFERS, required=True)
    options = parser.parse_args()
    checks = []
    for offer, server, client in OFFERS[options.deflate]:
        name = f"{options.deflate}: {terms(server, client)}"
        checks.append((name, check(options.url, offer, server, client)))
    sys.exit(asyncio.run(tap.run(checks)))


main()
