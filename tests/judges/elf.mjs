// What of a 32-bit little-endian ELF file goes to flash.

const LOAD = 1;

/** The bytes of the file's load segments, and the address at which a programmer writes each. */
export function segments(file) {
  if (file.toString("latin1", 0, 4) !== "\x7fELF" || file[4] !== 1) throw new Error("no 32-bit ELF file");
  const offset = file.readUInt32LE(28);
  const size = file.readUInt16LE(42);
  const count = file.readUInt16LE(44);
  const headers = Array.from({ length: count }, (_, i) => file.subarray(offset + i * size));
  return headers
    .filter((header) => header.readUInt32LE(0) === LOAD && header.readUInt32LE(16) > 0)
    .map((header) => {
      const start = header.readUInt32LE(4);
      return { address: header.readUInt32LE(12), bytes: file.subarray(start, start + header.readUInt32LE(16)) };
    });
}
