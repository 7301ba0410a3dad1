import {
  openCheckpoint,
  TransparencyLogError,
  type OpenedCheckpoint,
  type VerifierKey,
} from '@liandun/transparency-log';
import type { CheckpointCopy } from './copies.js';
import { TlogError } from './errors.js';
import type { Queryable } from './tree-store.js';

/** A checkpoint as it was published. */
export interface PublishedCheckpoint {
  size: number;
  /** The signed note. */
  note: string;
}

/** The newest checkpoint that may be shown; undefined before the first. */
export async function latestCheckpoint(db: Queryable): Promise<PublishedCheckpoint | undefined> {
  const { rows } = await db.query<{ size: string; note: string }>({
    name: 'tlog.latest_checkpoint',
    text: 'select size, note from tlog.checkpoint order by size desc limit 1',
  });
  return rows[0] && { size: Number(rows[0].size), note: rows[0].note };
}

/** The checkpoint of exactly this size, if one was published. */
export async function checkpointOfSize(db: Queryable, size: number): Promise<PublishedCheckpoint | undefined> {
  const { rows } = await db.query<{ note: string }>({
    name: 'tlog.checkpoint_of_size',
    text: 'select note from tlog.checkpoint where size = $1',
    values: [size],
  });
  return rows[0] && { size, note: rows[0].note };
}

/** Everything that is known to be published, verified: by the database, and by the copies outside of it. */
export interface Published {
  newest: OpenedCheckpoint & { signed: string };
  /** The newest one stands in the database. */
  stored: boolean;
  /** Copies that are older than the newest one. */
  behind: CheckpointCopy[];
}

/** Reads the newest published checkpoint wherever it stands. Undefined if nothing was ever published. */
export async function newestPublished(
  db: Queryable,
  copies: readonly CheckpointCopy[],
  log: VerifierKey,
): Promise<Published | undefined> {
  const stored = await latestCheckpoint(db);
  const notes = await Promise.all(copies.map((copy) => copy.read()));
  if (stored && notes.every((note) => note === undefined)) {
    const names = copies.map(({ name }) => name).join(', ');
    throw new TlogError(
      'COPY_MISSING',
      `Checkpoints were published, but their copy outside the database is gone (${names}): put back the newest checkpoint that anybody has seen of this log, so that it can be told whether the database is older`,
      {
        messageZh: `已公布过检查点，但数据库之外的副本（${names}）已不存在：请放回任何一方保存的最新检查点，以便判断数据库是否较旧`,
      },
    );
  }
  const opened = notes.map((note, i) => (note === undefined ? undefined : open(note, log, copies[i]!.name)));
  const all = [...opened, stored && open(stored.note, log, 'the database')].filter((one) => one !== undefined);
  if (all.length === 0) return undefined;
  const newest = all.reduce((a, b) => (b.size > a.size ? b : a));
  const behind = copies.filter((_, i) => (opened[i]?.size ?? -1) < newest.size);
  return { newest, stored: stored?.size === newest.size, behind };
}

function open(note: string, log: VerifierKey, place: string): Published['newest'] {
  try {
    return { ...openCheckpoint(note, { logs: [log] }), signed: note };
  } catch (error) {
    if (!(error instanceof TransparencyLogError)) throw error;
    const message = `The checkpoint in ${place} is damaged or not signed by ${log.name}'s key: ${error.message}`;
    const messageZh = `${place} 中的检查点已损坏，或不是由 ${log.name} 的密钥签署：请放回任何一方保存的最新检查点`;
    throw new TlogError('COPY_UNREADABLE', message, { cause: error, messageZh });
  }
}
