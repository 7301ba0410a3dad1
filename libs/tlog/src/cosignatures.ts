import { openCheckpoint, type VerifierKey } from '@liandun/transparency-log';
import { isEnough, type PolicyWitness, type WitnessPolicy } from './policy.js';
import { latestCheckpoint, type PublishedCheckpoint } from './published.js';
import type { Queryable } from './tree-store.js';

/**
 * The checkpoint that is shown, with the cosignatures that it has. Without a policy the newest; with one the newest that enough
 * witnesses have cosigned. Undefined before the first.
 */
export async function shownCheckpoint(
  db: Queryable,
  policy: WitnessPolicy | undefined,
): Promise<PublishedCheckpoint | undefined> {
  if (!policy) return latestCheckpoint(db);
  const { rows } = isEnough(policy, [])
    ? await db.query<Row>({
        name: 'tlog.newest_with_cosignatures',
        text: `select c.size, c.note, ${LINES} from tlog.checkpoint c order by c.size desc limit 1`,
      })
    : await db.query<Row>({
        name: 'tlog.newest_witnessed',
        text: `select c.size, c.note, ${LINES} from tlog.witnessed w join tlog.checkpoint c using (size)
          where w.policy = $1 order by w.size desc limit 1`,
        values: [policy.id],
      });
  return rows[0] && { size: Number(rows[0].size), note: rows[0].note + rows[0].lines };
}

interface Row {
  size: string;
  note: string;
  lines: string;
}

const LINES = `coalesce((select string_agg(line, '' order by witness) from tlog.cosignature s where s.size = c.size), '') as lines`;

/**
 * Stores a verified cosignature; `enough` where the checkpoint has enough of them now: then it is shown. One of a checkpoint that
 * was not published is not stored.
 */
export async function storeCosignature(
  db: Queryable,
  policy: WitnessPolicy,
  log: VerifierKey,
  { size, witness, line }: { size: number; witness: PolicyWitness; line: string },
): Promise<'unpublished' | 'stored' | 'enough'> {
  await db.query({
    name: 'tlog.store_cosignature',
    text: `insert into tlog.cosignature (size, witness, line)
      select size, $2, $3 from tlog.checkpoint where size = $1 on conflict do nothing`,
    values: [size, witness.vkey, line],
  });
  const cosigned = await cosignedNote(db, size);
  if (cosigned === undefined) return 'unpublished';
  if (!isWitnessed(policy, log, cosigned)) return 'stored';
  await db.query({
    name: 'tlog.store_witnessed',
    text: 'insert into tlog.witnessed (policy, size) values ($1, $2) on conflict do nothing',
    values: [policy.id, size],
  });
  return 'enough';
}

async function cosignedNote(db: Queryable, size: number): Promise<string | undefined> {
  const { rows } = await db.query<Row>({
    name: 'tlog.cosigned_checkpoint',
    text: `select c.size, c.note, ${LINES} from tlog.checkpoint c where c.size = $1`,
    values: [size],
  });
  return rows[0] && rows[0].note + rows[0].lines;
}

function isWitnessed(policy: WitnessPolicy, log: VerifierKey, note: string): boolean {
  const witnesses = policy.witnesses.map(({ key }) => key);
  const { signatures } = openCheckpoint(note, { logs: [log], witnesses });
  return isEnough(
    policy,
    policy.witnesses.filter(({ key }) => signatures.some((signature) => signature.key === key)),
  );
}

/** The size of the newest checkpoint that each of these witnesses has cosigned; undefined if none is known. */
export async function cosignedSizes(
  db: Queryable,
  witnesses: readonly PolicyWitness[],
): Promise<(number | undefined)[]> {
  const { rows } = await db.query<{ size: string | null }>(
    `select (select max(size) from tlog.cosignature where witness = asked.witness) as size
     from unnest($1::text[]) with ordinality as asked (witness, n) order by n`,
    [witnesses.map(({ vkey }) => vkey)],
  );
  return rows.map(({ size }) => (size === null ? undefined : Number(size)));
}
