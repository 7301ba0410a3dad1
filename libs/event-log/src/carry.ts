import type pg from 'pg';

/** A reader goes on in another one's transaction with so many events at the most. */
export const CARRIED_MAX = 20;

/**
 * Locks, until the transaction ends, the checkpoints of those of these readers that nobody is moving and that have nothing parked, and
 * answers where they stand. It waits for nobody: whoever moves a checkpoint may be waiting for the head's lock. For the same reason it
 * comes before anything is appended.
 */
export async function takeIdle(client: pg.ClientBase, readers: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; position: string }>({
    name: 'log.take_idle',
    text: `select name, position from log.reader r
      where name = any($1) and not exists (select from log.parked p where p.reader = r.name)
      order by name for update skip locked`,
    values: [readers],
  });
  return new Map(rows.map(({ name, position }) => [name, Number(position)]));
}
