"""The messages both roles exchange: every length at which RFC 6455 section 5.2 changes its form."""

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1_000_000]


def text_of(size):
    """Text of exactly `size` bytes in UTF-8, with characters of one to four bytes."""
    pattern = "aé€\U0001f642"
    length = len(pattern.encode())
    return pattern * (size // length) + "z" * (size % length)


def bytes_of(size):
    """Every byte value, in an order that does not repeat with the masking key."""
    return bytes((i * 7 + i // 256) % 256 for i in range(size))
