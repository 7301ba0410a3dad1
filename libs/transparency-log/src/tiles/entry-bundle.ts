import { TransparencyLogError } from '../errors.js';

const LENGTH_BYTES = 2;
const ENTRY_BYTES_LIMIT = 0xffff;

/** A bundle of entries as it is served (C2SP tlog-tiles): each after its length in 16 bits, big-endian. A string is taken as UTF-8. */
export function encodeBundle(entries: readonly (Uint8Array | string)[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const bytes = typeof entry === 'string' ? Buffer.from(entry) : entry;
      if (bytes.length > ENTRY_BYTES_LIMIT)
        throw malformed(
          `An entry has ${bytes.length} bytes, more than 16 bits tell`,
          `某条记录有 ${bytes.length} 字节，超出 16 位所能表示`,
        );
      return [Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes];
    }),
  );
}

/** The entries of a bundle that must hold exactly `width` of them, as views of `bytes`; MALFORMED_TILE else. */
export function parseBundle(bytes: Uint8Array, width: number): Buffer[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Buffer[] = [];
  let at = 0;
  while (entries.length < width) {
    if (at + LENGTH_BYTES > buffer.length)
      throw malformed(
        `The bundle ends before entry ${entries.length} of ${width}`,
        `记录包止于第 ${entries.length} 条之前（应有 ${width} 条）`,
      );
    const start = at + LENGTH_BYTES;
    at = start + buffer.readUInt16BE(at);
    if (at > buffer.length)
      throw malformed(
        `The bundle ends within entry ${entries.length} of ${width}`,
        `记录包止于第 ${entries.length} 条之中（应有 ${width} 条）`,
      );
    entries.push(buffer.subarray(start, at));
  }
  if (at !== buffer.length)
    throw malformed(`The bundle goes on after ${width} entries`, `记录包在 ${width} 条之后仍有内容`);
  return entries;
}

const malformed = (message: string, messageZh: string) =>
  new TransparencyLogError('MALFORMED_TILE', message, messageZh);
