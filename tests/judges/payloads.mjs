// The messages both roles exchange: every length at which RFC 6455 section 5.2 changes its form.

export const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1_000_000];

/** Text of exactly `size` bytes in UTF-8, with characters of one to four bytes. */
export function textOf(size) {
  const pattern = "aé€\u{1f642}";
  const length = Buffer.byteLength(pattern);
  return pattern.repeat(Math.floor(size / length)) + "z".repeat(size % length);
}

/** Every byte value, in an order that does not repeat with the masking key. */
export function bytesOf(size) {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) bytes[i] = (i * 7 + (i >> 8)) & 0xff;
  return bytes;
}

// For compression.
export const DEFLATE_SIZES = [0, 1, 125, 126, 1024, 1 << 16, 1 << 20];

/** Bytes that come again soon enough for the smallest window. */
export function repeatingOf(size) {
  return Buffer.alloc(size, bytesOf(100));
}

/** Bytes in which deflate finds nothing, the same ones every time (xorshift32). */
export function noiseOf(size) {
  const bytes = Buffer.alloc(size);
  let state = size + 1;
  for (let i = 0; i < size; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

/** Text in which it finds little: 64 characters of one byte, in no order. */
export function noiseTextOf(size) {
  return noiseOf(size)
    .map((byte) => 48 + (byte % 64))
    .toString();
}
