import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { linesOf, type Line } from './ndjson.js';

async function split(chunks: Uint8Array[], lineBytesMax?: number): Promise<Line[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const lines: Line[] = [];
  for await (const some of linesOf(source(), lineBytesMax)) lines.push(...some);
  return lines;
}

/** The bytes in pieces of the given sizes, the rest as one piece. */
function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let from = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return [...chunks, bytes.subarray(from)];
}

test('lines are the same however the network cuts them, also within a character', async () => {
  const lines = fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\n\r]/g, '')));
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.integer({ min: 1, max: 9 })), async (texts, sizes) => {
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
      expect(await split(cut(bytes, sizes))).toEqual(texts.map((text) => ({ text })));
    }),
  );
});

test('a line that is too long is told once, whatever its length, and the next one is read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 9, max: 500 }),
      fc.array(fc.integer({ min: 1, max: 20 })),
      async (length, sizes) => {
        const bytes = Buffer.from(`a\n${'x'.repeat(length)}\nb\n`);
        expect(await split(cut(bytes, sizes), 8)).toEqual([{ text: 'a' }, { wrong: 'BODY_TOO_LARGE' }, { text: 'b' }]);
      },
    ),
  );
});

test('a last line needs no end; one that is not UTF-8 is told', async () => {
  expect(await split([Buffer.from('a\nb')])).toEqual([{ text: 'a' }, { text: 'b' }]);
  expect(await split([Buffer.from([0xff, 0x0a, 0x61])])).toEqual([{ wrong: 'MALFORMED_JSON' }, { text: 'a' }]);
  expect(await split([])).toEqual([]);
});
