// Who sees which rows (docs/decisions/0014-walls.md). Four roles, none a superuser, none with BYPASSRLS:
//   liandun_owner   owns everything, logs in nowhere, and sees no walled row: row-level security is forced
//   liandun_worker  the readers, who fold what belongs to everybody
//   liandun_door    what the api does as the ledger: it authenticates, appends, compares tokens; no rights but for these
//   liandun_api     what the api reads for a caller: with a caller named, that one's rows; without, none
import pg from 'pg';
import { corkUntilNextTick, withClient } from './transaction.js';

/** The caller, as policies see it; null where none is named. Looked up once for each statement, not for each row. */
export const CALLER = `(select current_setting('liandun.member', true))`;
/** `platform`, `regulator`, `admin`, or `subject`: somebody who is no member and has proved whom entries are about. */
export const CALLERS_ROLE = `(select current_setting('liandun.role', true))`;
/** The entities that a subject proved to be; null for any other caller. */
export const SUBJECTS_ENTITIES = `(select string_to_array(nullif(current_setting('liandun.entities', true), ''), ','))::text[]`;
/** The positions of the entries that name the subject by the number that he proved; null for any other caller. */
export const SUBJECTS_OBSERVATIONS = `(select string_to_array(nullif(current_setting('liandun.observations', true), ''), ','))::bigint[]`;

/**
 * SQL that walls a table of the product. The ledger's own roles pass, each as far as its grants go; liandun_api sees the rows for
 * which the condition holds, none where there is no condition.
 */
export const wall = (table: string, sees?: string): string => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy ledger on ${table} to liandun_worker, liandun_door using (true) with check (true);
${sees === undefined ? '' : `create policy caller on ${table} for select to liandun_api using (${sees});`}`;

/** In whose name something is read. */
export interface ReadingCaller {
  /** Empty of a subject, who is no member. */
  memberId: string;
  role: string;
  /** Of a subject alone. */
  subject?: { entities: readonly string[]; observations: readonly number[] };
}

const named = (setting: string, value: string): string => `set local liandun.${setting} = ${pg.escapeLiteral(value)}`;

const namesOf = ({ memberId, role, subject }: ReadingCaller): string[] => [
  named('member', memberId),
  named('role', role),
  ...(subject
    ? [named('entities', subject.entities.join(',')), named('observations', subject.observations.join(','))]
    : []),
];

/**
 * Reads in the name of a caller, in a read-only transaction that sees what the caller may. All of its statements see one moment:
 * entities that become one between two of them would make a page contradict itself. The name ends with the transaction: the
 * connection's next user starts with none. On a pipelined pool this costs no round trip more than the work itself. The pool must
 * be of liandun_api; nothing that was read holds back the connection's end of the transaction.
 */
export function readAs<T>(
  pool: pg.Pool,
  caller: ReadingCaller,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  withClient(pool, async (client) => {
    const { pipeline } = client as { pipeline?: boolean };
    if (pipeline) corkUntilNextTick(client);
    const begun = client.query(['begin isolation level repeatable read read only', ...namesOf(caller)].join('; '));
    begun.catch(() => {}); // its failure leaves no name: then the work sees nothing
    if (!pipeline) await begun;
    try {
      const result = await work(client);
      await begun;
      resolve(result);
    } catch (error) {
      reject(error);
    }
    await client.query('rollback');
  }).catch(reject);
  return promise;
}
