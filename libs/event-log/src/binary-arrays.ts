// PostgreSQL's binary form of one-dimensional arrays. pg sends a Buffer as a binary parameter; the text form that it would make
// of a JavaScript array escapes every quote of every entry, and the server undoes it: that was half of an append's time.

const HEADER_BYTES = 20;
const OID = { text: 25, bytea: 17, int4: 23 };

/** A text[] of strings. */
export function textArray(values: readonly string[]): Buffer {
  return bytesArray(
    OID.text,
    values.map((value) => Buffer.from(value)),
  );
}

/** A bytea[]. */
export function byteaArray(values: readonly Uint8Array[]): Buffer {
  return bytesArray(OID.bytea, values);
}

/** An integer[]. */
export function int4Array(values: readonly number[]): Buffer {
  const array = Buffer.allocUnsafe(HEADER_BYTES + 8 * values.length);
  let offset = writeHeader(array, OID.int4, values.length);
  for (const value of values) {
    offset = array.writeInt32BE(4, offset);
    offset = array.writeInt32BE(value, offset);
  }
  return array;
}

function bytesArray(oid: number, values: readonly Uint8Array[]): Buffer {
  let size = HEADER_BYTES;
  for (const value of values) size += 4 + value.length;
  const array = Buffer.allocUnsafe(size);
  let offset = writeHeader(array, oid, values.length);
  for (const value of values) {
    offset = array.writeInt32BE(value.length, offset);
    array.set(value, offset);
    offset += value.length;
  }
  return array;
}

/** Dimensions, no nulls, the elements' type, length, lower bound. */
function writeHeader(array: Buffer, oid: number, length: number): number {
  let offset = 0;
  for (const word of [1, 0, oid, length, 1]) offset = array.writeInt32BE(word, offset);
  return offset;
}
