/** Resolves once `condition` holds, looking every 20 ms; rejects after `ms`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 100_000): Promise<void> {
  for (const endMs = performance.now() + ms; !(await condition());) {
    if (performance.now() > endMs) throw new Error(`Not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What `look` finds, once it finds something. */
export async function found<T>(what: string, look: () => Promise<T | undefined>, ms?: number): Promise<T> {
  let seen: T | undefined;
  await until(what, async () => (seen = await look()) !== undefined, ms);
  return seen as T;
}
