/** The middle of the values, the upper one of two; NaN of none. */
export const median = (values: number[]): number => quantile(values, 0.5);

/** The value below which a share `q` (0 to 1) of the values lies; NaN of none. */
export const quantile = (values: number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;
