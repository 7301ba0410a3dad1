const seed = Number(process.env['FC_SEED'] ?? 20_200_203);

/**
 * A number for names, codes and ids from `min` up to `max`, without it: the same in every run, so that what a log shows can be
 * run again; FC_SEED draws others, as it does for properties.
 */
export function drawn(min: number, max: number): number {
  // Knuth's multiplicative hash spreads seeds that lie side by side.
  return min + ((Math.imul(seed, 2_654_435_761) >>> 0) % (max - min));
}
