import pg from 'pg';

const CONNECTIONS_MAX = 8;

/**
 * Screening's one long statement costs more to plan than to run, so plans are kept; and one that was made while a table was small
 * must not scan it later.
 */
export const DOOR_OPTIONS = '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off';

/** A server from outside is told by `options` which role its user takes on; the last one counts. */
function asDoor(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.searchParams.set(
    'options',
    `${url.searchParams.get('options') ?? ''} -c role=liandun_door ${DOOR_OPTIONS}`.trim(),
  );
  return url.href;
}

/**
 * The two ways into the database (see libs/event-log, walls.ts). `own` is liandun_api: it reads what a named caller may see, and
 * without a caller nothing that belongs to anybody. `door` is for what the ledger itself does: who calls? append; is this listed?
 */
export function openPools(databaseUrl: string, onError: (error: Error) => void): { own: pg.Pool; door: pg.Pool } {
  // Statements that don't wait for one another go out together. The types don't know the option yet.
  const own = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS_MAX, ...({ pipeline: true } as object) });
  const door = new pg.Pool({ connectionString: asDoor(databaseUrl), max: CONNECTIONS_MAX });
  for (const pool of [own, door]) {
    pool.on('error', onError);
    // A connection in use has failed its statement: that it says so again, perhaps to nobody, must not end the process.
    pool.on('connect', (client) => void client.on('error', () => undefined));
  }
  return { own, door };
}

/** Under this class the door is injected; pg.Pool is liandun_api's own. */
export class Door {
  constructor(readonly pool: pg.Pool) {}
}
