import { DatabaseSync } from 'node:sqlite';
import { CliError, EXIT } from '../exit-codes.js';

/** The newest checkpoint of a log that this witness has cosigned. */
export interface Cosigned {
  size: number;
  rootHash: Uint8Array;
  /** The checkpoint with the log's signatures and the witness's own. */
  note: string;
}

/** A checkpoint that the log has signed and the witness has refused. */
export interface Refused {
  size: number;
  rootHash: Uint8Array;
  note: string;
  /** Another tree of the same size was cosigned before: together they prove the fork. */
  forked: boolean;
  seenAt: string;
}

// Only a log itself can sign what is kept here, but it may sign much.
const REFUSED_PER_LOG_MAX = 1_000;

/**
 * What a witness has promised, in one SQLite file that one process holds at a time. All methods are synchronous, so nothing comes
 * between reading, deciding and storing; what `cosigned` has stored survives a power cut.
 */
export class WitnessStore {
  readonly #db: DatabaseSync;

  /** Creates the file where it is missing. STORE_IN_USE while another process holds it, STORE_DAMAGED if it can't be read. */
  constructor(readonly path: string) {
    this.#db = told(path, () => open(path));
  }

  /** The verifier key of the witness whose promises these are; undefined in a new store. */
  get vkey(): string | undefined {
    const row = this.#db.prepare('select vkey from witness').get();
    return row && String(row['vkey']);
  }

  set vkey(vkey: string) {
    this.#db.prepare('insert or replace into witness (singleton, vkey) values (1, ?)').run(vkey);
  }

  newest(origin: string): Cosigned | undefined {
    const row = this.#db.prepare('select size, root_hash, note from log where origin = ?').get(origin);
    return row && { size: Number(row['size']), rootHash: row['root_hash'] as Uint8Array, note: String(row['note']) };
  }

  /** Returns once it is durable. A size never goes down. */
  cosigned(origin: string, { size, rootHash, note }: Cosigned): void {
    this.#db
      .prepare(
        `insert into log (origin, size, root_hash, note) values (?, ?, ?, ?)
         on conflict (origin) do update set size = excluded.size, root_hash = excluded.root_hash, note = excluded.note`,
      )
      .run(origin, size, rootHash, note);
  }

  /** Keeps evidence, each checkpoint once; false if it was kept before, or there is no more room. */
  keepRefused(origin: string, { size, rootHash, note, forked, seenAt }: Refused): boolean {
    const { changes } = this.#db
      .prepare(
        `insert or ignore into refused (origin, size, root_hash, note, forked, seen_at) select ?, ?, ?, ?, ?, ?
         where (select count(*) from refused where origin = ?) < ?`,
      )
      .run(origin, size, rootHash, note, forked ? 1 : 0, seenAt, origin, REFUSED_PER_LOG_MAX);
    return changes > 0;
  }

  close(): void {
    this.#db.close();
  }
}

const SCHEMA = `
create table if not exists witness (singleton integer primary key check (singleton = 1), vkey text not null) strict;
create table if not exists log (
  origin text primary key, size integer not null, root_hash blob not null, note text not null
) strict;
create trigger if not exists only_grow before update on log when new.size < old.size
  begin select raise(abort, 'a witness never goes back'); end;
create table if not exists refused (
  origin text not null, size integer not null, root_hash blob not null, note text not null, forked integer not null,
  seen_at text not null, primary key (origin, size, root_hash)
) strict;
`;

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // The lock of the first transaction stays until the process ends; the system frees it then.
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = delete; pragma synchronous = extra');
    db.exec(`begin exclusive; ${SCHEMA} commit`);
    const check = db.prepare('pragma quick_check').get();
    if (check?.['quick_check'] !== 'ok') throw Object.assign(new Error('quick_check'), { errcode: SQLITE_CORRUPT });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOT_A_DATABASE = 26;

function told<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as { errcode?: number }).errcode;
    if (code === SQLITE_BUSY) {
      throw new CliError(
        EXIT.failed,
        'STORE_IN_USE',
        `Another witness runs on ${path}: stop it, or give this one a store and a key of its own.`,
        `${path} 正由另一个见证进程使用：请先停止它，或为本进程指定各自的存储与密钥。`,
      );
    }
    if (code === SQLITE_CORRUPT || code === SQLITE_NOT_A_DATABASE) {
      throw new CliError(
        EXIT.failed,
        'STORE_DAMAGED',
        `${path} is damaged or no witness's store. Don't put an older copy back: go on with a new store and a new key, and tell the ledger's operator its vkey.`,
        `${path} 已损坏或不是见证存储。请勿恢复旧副本：请改用新的存储和新的密钥，并将其 vkey 告知账本运营方。`,
      );
    }
    throw error;
  }
}
