import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { byteaArray, int4Array, textArray } from './binary-arrays.js';

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });

afterAll(() => pool.end());

test('PostgreSQL reads the arrays as they were', async () => {
  const text = fc.string({ unit: 'grapheme' }).filter((s) => !s.includes('\0') && s.isWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.array(text), fc.array(fc.uint8Array()), fc.array(fc.integer()), async (texts, bytes, ints) => {
      const { rows } = await pool.query('select $1::text[] as texts, $2::bytea[] as bytes, $3::integer[] as ints', [
        textArray(texts),
        byteaArray(bytes),
        int4Array(ints),
      ]);
      expect(rows[0]).toEqual({ texts, bytes: bytes.map((b) => Buffer.from(b)), ints });
    }),
    { numRuns: 50 },
  );
});
