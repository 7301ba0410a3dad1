import { randomFillSync } from 'node:crypto';

// Drawn from the system in larger pieces: one call for each value costs more than the hash. No byte is given out twice.
const pool = Buffer.alloc(8192);
let used = pool.length;

/** Random bytes of the system's generator, up to 8,192. */
export function random(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const drawn = Buffer.from(pool.subarray(used, used + bytes));
  pool.fill(0, used, used + bytes);
  used += bytes;
  return drawn;
}
