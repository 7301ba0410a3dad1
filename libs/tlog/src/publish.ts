import { inTransaction } from '@liandun/event-log';
import {
  edgeRoot,
  formatCheckpoint,
  signNote,
  tileNodes,
  treeRoot,
  type SignerKey,
  type TreeEdge,
  type VerifierKey,
} from '@liandun/transparency-log';
import type pg from 'pg';
import type { CheckpointCopy } from './copies.js';
import { TlogError } from './errors.js';
import { checkpointOfSize, newestPublished, type Published, type PublishedCheckpoint } from './published.js';
import { loadEdge, readTiles } from './tree-store.js';

export interface PublishingOptions {
  pool: pg.Pool;
  /** The log's own key; its name is the origin of the checkpoints. */
  log: SignerKey;
  /** One at least. */
  copies: readonly CheckpointCopy[];
}

/**
 * Signs and publishes the tree as it is committed, unless that was done. What it signs goes on from every checkpoint that was ever
 * published: it is compared with those in the database and those in the copies, and written to the copies before anybody can read it
 * in the database, so neither a crash nor a restored backup takes one back. Resolves with the newest published checkpoint; with
 * undefined while the tree, folded anew, hasn't come to it again. Rejects with TlogError: then nothing was signed.
 */
export function publishCheckpoint({ pool, log, copies }: PublishingOptions): Promise<PublishedCheckpoint | undefined> {
  if (copies.length === 0) throw new RangeError('A published checkpoint is kept outside the database too');
  return inTransaction(pool, async (client) => {
    // One publishes at a time; the lock goes with the transaction.
    await client.query(`select pg_advisory_xact_lock(hashtext('tlog.checkpoint'))`);
    const edge = await loadEdge(client);
    const published = await newestPublished(client, copies, log);
    if (!published) return publish(client, copies, signed(edge, log));
    if (!(await isContinuedBy(client, edge, published))) return undefined;
    const settled = await settle(client, published);
    return settled.size < edge.size ? publish(client, copies, signed(edge, log)) : settled;
  });
}

/** Whether this database may be continued, for who doesn't sign. Rejects with TlogError if it is behind or beside what was published. */
export async function comparePublished({
  pool,
  log,
  copies,
}: Omit<PublishingOptions, 'log'> & { log: VerifierKey }): Promise<void> {
  await inTransaction(pool, async (client) => {
    const edge = await loadEdge(client);
    const published = await newestPublished(client, copies, log);
    if (published) await isContinuedBy(client, edge, published);
  });
}

function signed(edge: TreeEdge, log: SignerKey): PublishedCheckpoint {
  const text = formatCheckpoint({ origin: log.name, size: edge.size, rootHash: edgeRoot(edge) });
  return { size: edge.size, note: signNote(text, log) };
}

async function publish(
  client: pg.ClientBase,
  copies: readonly CheckpointCopy[],
  checkpoint: PublishedCheckpoint,
): Promise<PublishedCheckpoint> {
  for (const copy of copies) await copy.write(checkpoint.note);
  await store(client, checkpoint);
  return checkpoint;
}

/** Finishes what a crash may have left: a checkpoint that is in a copy is published. */
async function settle(client: pg.ClientBase, { newest, stored, behind }: Published): Promise<PublishedCheckpoint> {
  const { size, signed: note } = newest;
  for (const copy of behind) await copy.write(note);
  if (!stored) await store(client, { size, note });
  return { size, note };
}

async function store(client: pg.ClientBase, { size, note }: PublishedCheckpoint): Promise<void> {
  await client.query('insert into tlog.checkpoint (size, note) values ($1, $2)', [size, note]);
}

/** Whether the tree starts with what was published; false if it isn't folded that far. Throws if it never can. */
async function isContinuedBy(client: pg.ClientBase, edge: TreeEdge, { newest }: Published): Promise<boolean> {
  if (newest.size > edge.size) {
    const { rows } = await client.query<{ entries: string }>('select position + 1 as entries from log.head');
    const entries = Number(rows[0]!.entries);
    if (newest.size <= entries) return false;
    throw new TlogError(
      'PUBLISHED_AHEAD',
      `The database holds ${entries} entries, but a checkpoint over ${newest.size} was published: the database was restored from a backup that is older than that. Nothing is signed until a newer backup is restored; accepting events into this one would fork the log`,
      {
        messageZh: `数据库仅有 ${entries} 条记录，而已公布的检查点覆盖 ${newest.size} 条：数据库由较旧的备份恢复。请恢复较新的备份；在此之前不再签署，也不接收事件，以免日志分叉`,
      },
    );
  }
  const root = await treeRoot(newest.size, tileNodes(edge.size, readTiles(client)));
  if (root.equals(newest.rootHash)) return true;
  throw new TlogError(
    'PUBLISHED_FORKED',
    `The first ${newest.size} entries of the database are not those of the published checkpoint of this size: after an older backup was restored, other events were accepted. Nothing is signed: restore a backup that holds the published entries`,
    {
      messageZh: `数据库的前 ${newest.size} 条记录与同一大小的已公布检查点不符：恢复旧备份后又接收了其他事件。不再签署：请恢复包含已公布记录的备份`,
    },
  );
}

/** Whether there is more to publish than the database knows to be published. */
export async function hasGrown(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ size: string }>({ name: 'tlog.size', text: 'select size from tlog.tree' });
  return (await checkpointOfSize(pool, Number(rows[0]!.size))) === undefined;
}
