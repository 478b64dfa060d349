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
