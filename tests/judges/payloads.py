"""The messages both roles exchange: every length at which RFC 6455 section 5.2 changes its form."""

import random

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1_000_000]


def text_of(size):
    """Text of exactly `size` bytes in UTF-8, with characters of one to four bytes."""
    pattern = "aé€\U0001f642"
    length = len(pattern.encode())
    return pattern * (size // length) + "z" * (size % length)


def bytes_of(size):
    """Every byte value, in an order that does not repeat with the masking key."""
    return bytes((i * 7 + i // 256) % 256 for i in range(size))


# For compression.
DEFLATE_SIZES = [0, 1, 125, 126, 1024, 1 << 16, 1 << 20]


def repeating_of(size):
    """Bytes that come again soon enough for the smallest window."""
    return (bytes_of(100) * (size // 100 + 1))[:size]


def noise_of(size):
    """Bytes in which deflate finds nothing, the same ones every time."""
    return random.Random(size).randbytes(size)


def noise_text_of(size):
    """Text in which it finds little: 64 characters of one byte, in no order."""
    return "".join(chr(48 + byte % 64) for byte in noise_of(size))
