import { formatProof, inclusionProof, tileNodes } from '@liandun/transparency-log';
import { shownCheckpoint } from './cosignatures.js';
import type { WitnessPolicy } from './policy.js';
import { readTiles, type Queryable } from './tree-store.js';

/** `pending`: accepted, but in no checkpoint that is shown yet; ask again in a second. `proof` is a C2SP tlog-proof. */
export type ReceiptProof = { position: number; leafHash: Buffer; entry: string } & (
  { status: 'pending' } | { status: 'included'; proof: string }
);

/**
 * Turns the receipt of an event into what nobody has to ask the ledger about: its entry, and the proof that it is in the log.
 * Undefined if no such event was accepted; with `own` also if it is neither of this source nor in this stream. With
 * `policy` the proof carries the cosignatures of enough witnesses.
 */
export async function receiptProof(
  db: Queryable,
  source: string,
  id: string,
  { own, policy }: { own?: { source: string; stream: string }; policy?: WitnessPolicy } = {},
): Promise<ReceiptProof | undefined> {
  const { rows } = await db.query<{ found: boolean; position: string; leaf_hash: Buffer; entry: string }>({
    name: 'tlog.receipt',
    // An entry is read also where there is none of that id (the first one then), so that whether another member's exists can't
    // be told by the time it takes.
    text: `select i.position is not null as found, e.position, e.leaf_hash, e.entry
      from (select (select position from log.event_id where source = $1 and id = $2) as position) i
      join log.entry e on e.position = coalesce(i.position, 0)
      where $3::text is null or $1 = $3 or e.stream = $4`,
    values: [source, id, own?.source ?? null, own?.stream ?? null],
  });
  if (!rows[0]?.found) return undefined;
  const { leaf_hash: leafHash, entry } = rows[0];
  const position = Number(rows[0].position);
  const published = await shownCheckpoint(db, policy);
  if (!published || published.size <= position) return { status: 'pending', position, leafHash, entry };
  const { size, note: checkpoint } = published;
  const hashes = await inclusionProof(position, size, tileNodes(size, readTiles(db)));
  const proof = formatProof({ index: position, hashes, checkpoint });
  return { status: 'included', position, leafHash, entry, proof };
}
