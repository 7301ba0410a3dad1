const DAY_MS = 86_400_000;
const BEIJING_MS = 8 * 3_600_000;

/**
 * Resolves when Beijing's day will last for so long yet: at once, or just after midnight. What counts by days of the calendar
 * sees one day then. Unless told, for as long as a test may take.
 */
export async function awayFromMidnight(spanMs = 60_000): Promise<void> {
  const leftMs = DAY_MS - ((Date.now() + BEIJING_MS) % DAY_MS);
  if (leftMs < spanMs) await new Promise((resolve) => setTimeout(resolve, leftMs + 100));
}
