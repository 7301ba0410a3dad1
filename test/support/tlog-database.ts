import { EVENT_LOG_MIGRATIONS, EventLog, migrate, runReader, type Reader } from '@liandun/event-log';
import { publishCheckpoint, tlogReader, TLOG_MIGRATIONS, type CheckpointCopy } from '@liandun/tlog';
import type { SignerKey } from '@liandun/transparency-log';
import pg from 'pg';
import { asApp, createTestDatabase } from './database.js';
import { newSigner } from './tlog.js';

export const newLogKey = (name = 'example.com/log'): SignerKey => newSigner(name);

/** A copy outside the database that a test can look into. */
export class MemoryCopy implements CheckpointCopy {
  readonly name = 'memory';
  note: string | undefined;

  async read(): Promise<string | undefined> {
    return this.note;
  }

  async write(note: string): Promise<void> {
    this.note = note;
  }
}

/** A log with its tree, on a database of its own. */
export class TlogDatabase {
  readonly pool: pg.Pool;
  readonly log: EventLog;
  readonly reader: Reader;

  constructor(
    readonly url: string,
    readonly key: SignerKey,
    readonly copies: CheckpointCopy[],
    private readonly drop: () => Promise<void>,
  ) {
    this.pool = new pg.Pool({ connectionString: asApp(url), max: 6 });
    this.pool.on('error', () => {});
    this.log = new EventLog({ pool: this.pool });
    this.reader = runReader(this.pool, tlogReader());
  }

  static async create(key = newLogKey(), copies: CheckpointCopy[] = [new MemoryCopy()]): Promise<TlogDatabase> {
    const { url, drop } = await createTestDatabase();
    await migrate(url, [...EVENT_LOG_MIGRATIONS, ...TLOG_MIGRATIONS]);
    return new TlogDatabase(url, key, copies, drop);
  }

  /** Appends entries `from` up to `from + count`, and waits until they are in the tree. */
  async append(count: number, { prefix = 'e' } = {}): Promise<void> {
    const first = (await this.log.head()) + 1;
    const commands = Array.from({ length: count }, (_, i) => ({ events: [event(`${prefix}-${first + i}`)] }));
    await this.log.appendAll(commands);
    await this.reader.reached(first + count - 1);
  }

  publish(): ReturnType<typeof publishCheckpoint> {
    return publishCheckpoint({ pool: this.pool, log: this.key, copies: this.copies });
  }

  /** Ends its connections; the database stays. */
  async close(): Promise<void> {
    await this.reader.stop();
    await this.log.close();
    await this.pool.end();
  }

  async end(): Promise<void> {
    await this.close();
    await this.drop();
  }

  /** As the superuser, past what the application may do. */
  async tamper(...statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      for (const sql of statements) await client.query(sql);
    } finally {
      await client.end();
    }
  }
}

export const SOURCE = 'urn:liandun:member:platform-a';

const event = (id: string) => ({
  id,
  source: SOURCE,
  type: 'x',
  time: '2020-02-10T09:00:00+08:00',
  stream: `s/${id}`,
  data: { id },
  fingerprint: Buffer.from(id),
});
