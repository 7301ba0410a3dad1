import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase } from '../../../test/support/database.js';
import { MemoryCopy, newLogKey, SOURCE, TlogDatabase } from '../../../test/support/tlog-database.js';
import { until } from '../../../test/support/until.js';
import {
  consistencyProof,
  leafHash,
  openCheckpoint,
  parseNote,
  parseProof,
  tileNodes,
  verifyConsistency,
  verifyLog,
  verifyProof,
  type Tile,
} from '@liandun/transparency-log';
import {
  checkpointFile,
  comparePublished,
  HaltWatch,
  latestCheckpoint,
  PUBLISH_INTERVAL_MS,
  publishCheckpoint,
  publishedLog,
  readEntryBundle,
  readHashTile,
  receiptProof,
  runPublisher,
  TlogError,
  type PublishedCheckpoint,
} from './index.js';

let open: TlogDatabase[] = [];
const track = (database: TlogDatabase): TlogDatabase => {
  open.push(database);
  return database;
};
const create = async (...args: Parameters<typeof TlogDatabase.create>) => track(await TlogDatabase.create(...args));

afterEach(async () => {
  for (const database of open) await database.end();
  open = [];
});

/** Reads all that is published as a stranger would, and answers how many entries that is. */
async function verifyAll({ pool, key }: TlogDatabase): Promise<number> {
  const source = publishedLog(pool);
  const checkpoint = openCheckpoint((await source.checkpoint())!.note, { logs: [key] });
  let entries = 0;
  for await (const bundle of verifyLog(source, checkpoint)) entries += bundle.entries.length;
  return entries;
}

describe('the tree', () => {
  test('follows the log, and what is published verifies at every size', async () => {
    const database = await create();
    const published: PublishedCheckpoint[] = [];
    let size = 0;
    for (const count of [0, 1, 254, 1, 1, 300, 2500]) {
      if (count > 0) await database.append(count);
      size += count;
      published.push((await database.publish())!);
      expect(published.at(-1)!.size).toBe(size);
      expect(await verifyAll(database)).toBe(size);
    }
    const source = publishedLog(database.pool);
    const nodes = tileNodes(size, (tiles: Tile[]) => Promise.all(tiles.map((tile) => source.hashes(tile))));
    const opened = published.map(({ note }) => openCheckpoint(note, { logs: [database.key] }));
    for (const [i, newer] of opened.entries()) {
      for (const older of opened.slice(0, i).filter((one) => one.size > 0)) {
        const proof = await consistencyProof(older.size, newer.size, nodes);
        verifyConsistency({
          size1: older.size,
          root1: older.rootHash,
          size2: newer.size,
          root2: newer.rootHash,
          proof,
        });
      }
    }
  });

  test('is published after an append by a publisher that looks several times a second', async () => {
    const database = await create();
    const { pool, key: log, copies } = database;
    expect(PUBLISH_INTERVAL_MS).toBeLessThanOrEqual(250);
    const publisher = runPublisher({ pool, log, copies });
    try {
      for (const size of [20, 21, 22]) {
        await database.append(size === 20 ? 20 : 1);
        await until(`${size} are published`, async () => (await latestCheckpoint(pool))?.size === size);
      }
    } finally {
      await publisher.stop();
    }
    expect(publisher.status()).toEqual({ size: 22 });
  });

  test('stands still before an entry that was changed, and goes on once it is put right', async () => {
    const database = await create();
    await database.append(3);
    await database.reader.stop();
    await database.log.append({
      events: [{ id: 'x', source: SOURCE, type: 'x', time: 't', stream: 's', data: {}, fingerprint: Buffer.of(1) }],
    });
    await database.tamper(
      'alter table log.entry disable trigger all',
      `update log.entry set entry = entry || ' ' where position = 3`,
    );
    const again = track(new TlogDatabase(database.url, database.key, database.copies, async () => {}));
    await again.reader.reached(3);
    await again.append(1);
    expect(await again.reader.status()).toMatchObject({ parkedEvents: 2, parkedKeys: 1 });
    const { rows } = await again.pool.query('select error from log.parked order by position');
    expect(rows).toEqual([{ error: 'Entry 3 is not what its receipt says' }, { error: null }]);
    expect(await again.publish()).toMatchObject({ size: 3 });

    await again.tamper(
      `update log.entry set entry = rtrim(entry) where position = 3`,
      `update log.parked set retry = true`,
    );
    await until('all is published', async () => (await again.publish())!.size === 5);
    expect(await verifyAll(again)).toBe(5);
    await again.close();
    open.splice(open.indexOf(again), 1);
  });

  test('only grows, whoever tries', async () => {
    const database = await create();
    await database.append(300);
    await database.publish();
    for (const sql of [
      'update tlog.tree set size = 299',
      `update tlog.tile set hashes = substr(hashes, 1, 32)`,
      `update tlog.tile set hashes = set_byte(hashes, 5, 7) where level = 0 and index = 0`,
      'update tlog.tile set index = index + 1000',
      'delete from tlog.tile',
      'truncate tlog.tile',
      'delete from tlog.tree',
      `update tlog.checkpoint set note = 'x'`,
      'delete from tlog.checkpoint',
      'truncate tlog.checkpoint cascade',
    ]) {
      await expect(database.pool.query(sql)).rejects.toThrow(/only grows|permission denied/);
      await expect(database.tamper(sql)).rejects.toThrow('only grows');
    }
  });
});

describe('publishing', () => {
  test('twice without new entries is once', async () => {
    const database = await create();
    await database.append(2);
    expect(await database.publish()).toEqual(await database.publish());
    const { rows } = await database.pool.query('select count(*)::int as n from tlog.checkpoint');
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('from several places at once gives one checkpoint for each size', async () => {
    const database = await create();
    for (let round = 0; round < 5; round += 1) {
      await database.append(1);
      const notes = await Promise.all([1, 2, 3].map(() => database.publish()));
      expect(new Set(notes.map((one) => one!.note)).size).toBe(1);
    }
  });

  test('keeps a copy in a file that survives', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'liandun-tlog-'));
    try {
      const path = join(dir, 'log/checkpoint');
      const database = await create(newLogKey(), [checkpointFile(path), new MemoryCopy()]);
      await database.append(2);
      const published = await database.publish();
      expect(await readFile(path, 'utf8')).toBe(published!.note);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('that crashed after the copy was written is finished', async () => {
    const database = await create();
    const copy = database.copies[0] as MemoryCopy;
    await database.append(2);
    const crashing = {
      name: 'crashing',
      read: () => copy.read(),
      write: async (note: string) => {
        await copy.write(note);
        throw new Error('power cut');
      },
    };
    const { pool, key: log } = database;
    await expect(publishCheckpoint({ pool, log, copies: [crashing] })).rejects.toThrow('power cut');
    expect(await latestCheckpoint(pool)).toBeUndefined();
    await database.append(3);
    expect(await database.publish()).toMatchObject({ size: 5 });
    const { rows } = await pool.query('select size::int from tlog.checkpoint order by size');
    expect(rows).toEqual([{ size: 2 }, { size: 5 }]);
    await expect(publishCheckpoint({ pool, log, copies: [crashing] })).resolves.toMatchObject({ size: 5 });
  });

  test('is tried again after a failure that passes', async () => {
    const database = await create();
    await database.append(2);
    const copy = new MemoryCopy();
    const disk = { full: true };
    const failing = {
      name: 'failing',
      read: () => copy.read(),
      write: async (note: string) => {
        if (disk.full) throw new Error('no space left');
        await copy.write(note);
      },
    };
    const { pool, key: log } = database;
    const publisher = runPublisher({ pool, log, copies: [failing], intervalMs: 20 });
    await until('it tries again', () => publisher.status().retrying !== undefined);
    expect(publisher.status()).toEqual({ retrying: 'no space left' });
    expect(await latestCheckpoint(pool)).toBeUndefined();
    disk.full = false;
    await until('it has published', () => publisher.status().size !== undefined);
    expect(publisher.status()).toEqual({ size: 2 });
    expect(await latestCheckpoint(pool)).toEqual({ size: 2, note: copy.note });
    await publisher.stop();
  });

  test('repairs a copy that was lost while another one is there', async () => {
    const copies = [new MemoryCopy(), new MemoryCopy()];
    const database = await create(newLogKey(), copies);
    await database.append(2);
    const { note } = (await database.publish())!;
    copies[0]!.note = undefined;
    await database.publish();
    expect(copies[0]!.note).toBe(note);
  });

  test('stops when every copy is gone, damaged, or of another log', async () => {
    const database = await create();
    const copy = database.copies[0] as MemoryCopy;
    await database.append(2);
    const { note } = (await database.publish())!;
    copy.note = undefined;
    await expect(database.publish()).rejects.toMatchObject({ code: 'COPY_MISSING' });
    for (const damaged of ['', note.slice(0, -1), note.replace('\n2\n', '\n1\n')]) {
      copy.note = damaged;
      await expect(database.publish()).rejects.toMatchObject({ code: 'COPY_UNREADABLE' });
    }
    copy.note = note;
    const { pool, copies } = database;
    await expect(publishCheckpoint({ pool, log: newLogKey(), copies })).rejects.toMatchObject({
      code: 'COPY_UNREADABLE',
    });
    await expect(database.publish()).resolves.toMatchObject({ size: 2 });
  });
});

describe('after a restored backup', () => {
  /** The database as it was with 5 entries, while the copies say that 10 were published. */
  async function restored(): Promise<{ backup: TlogDatabase; newest: string }> {
    const original = await create();
    await original.append(5);
    await original.publish();
    await original.close();
    open.splice(open.indexOf(original), 1);
    const { url, drop } = await createTestDatabase();
    const backupName = new URL(url).pathname.slice(1);
    const admin = new URL(original.url);
    admin.pathname = '/postgres';
    const server = new TlogDatabase(admin.href, original.key, [], async () => {});
    await server.tamper(
      `drop database ${backupName}`,
      `create database ${backupName} template ${new URL(original.url).pathname.slice(1)}`,
    );
    await server.close();
    const live = track(new TlogDatabase(original.url, original.key, original.copies, () => original['drop']()));
    await live.append(5);
    const newest = (await live.publish())!.note;
    const backup = track(new TlogDatabase(url, original.key, original.copies, drop));
    return { backup, newest };
  }

  test('nothing is signed while the published checkpoint is ahead, nor when other entries have come in its place', async () => {
    const { backup, newest } = await restored();
    await expect(backup.publish()).rejects.toMatchObject({ code: 'PUBLISHED_AHEAD' });
    await backup.append(4, { prefix: 'other' });
    await expect(backup.publish()).rejects.toMatchObject({ code: 'PUBLISHED_AHEAD' });
    await backup.append(1, { prefix: 'other' });
    await expect(backup.publish()).rejects.toMatchObject({ code: 'PUBLISHED_FORKED' });
    await backup.append(7, { prefix: 'other' });
    await expect(backup.publish()).rejects.toMatchObject({ code: 'PUBLISHED_FORKED' });
    expect((await latestCheckpoint(backup.pool))?.size).toBe(5);
    expect(await backup.copies[0]!.read()).toBe(newest);
  });

  test('the publisher stops and says what to do', async () => {
    const { backup } = await restored();
    const { pool, key: log, copies } = backup;
    const publisher = runPublisher({ pool, log, copies, intervalMs: 10 });
    await until('it stops', () => publisher.status().stopped !== undefined);
    expect(publisher.status().stopped).toMatch(/holds 5 entries, but a checkpoint over 10 was published.*restored/);
    await publisher.stop();
  });

  test('whoever appends hears of it, until a publisher has found the log in order again', async () => {
    const { backup } = await restored();
    const { pool, key: log, copies } = backup;
    const heard: (string | undefined)[] = [];
    const watch = new HaltWatch(pool, (halt) => heard.push(halt?.code));
    await watch.start();
    expect([watch.halt, watch.refusal]).toEqual([undefined, undefined]);
    await expect(comparePublished({ pool, log, copies })).rejects.toMatchObject({ code: 'PUBLISHED_AHEAD' });
    const publisher = runPublisher({ pool, log, copies, intervalMs: 10 });
    await publisher.looked;
    await until('the halt is heard', () => heard.length > 0);
    expect(watch.refusal).toEqual({
      code: 'PUBLISHED_AHEAD',
      message: publisher.status().stopped,
      messageZh: expect.stringContaining('请恢复较新的备份') as unknown,
    });
    await publisher.stop();

    // As if the newer backup were back: what was published is what the database holds.
    const copy = copies[0] as MemoryCopy;
    copy.note = (await latestCheckpoint(pool))!.note;
    await comparePublished({ pool, log, copies });
    const again = runPublisher({ pool, log, copies, intervalMs: 10 });
    await again.looked;
    await until('its end is heard', () => heard.length > 1);
    expect([heard, watch.halt]).toEqual([['PUBLISHED_AHEAD', undefined], undefined]);
    await again.stop();
    watch.stop();
  });

  test('a lost copy ends signing, not appending', async () => {
    const database = await create();
    await database.append(1);
    await database.publish();
    (database.copies[0] as MemoryCopy).note = undefined;
    const { pool, key: log, copies } = database;
    const publisher = runPublisher({ pool, log, copies });
    await publisher.looked;
    const watch = new HaltWatch(pool);
    await watch.start();
    expect([watch.halt?.code, watch.refusal]).toEqual(['COPY_MISSING', undefined]);
    watch.stop();
    await publisher.stop();
  });

  test('with the same entries it goes on where it was', async () => {
    const { backup, newest } = await restored();
    // The very entries that the lost database had, in the place where they stood.
    const live = open.find((one) => one !== backup)!;
    const { rows } = await live.pool.query<Record<string, unknown>>(
      'select * from log.entry where position >= 5 order by position',
    );
    await backup.reader.stop();
    for (const row of rows) {
      const names = Object.keys(row);
      await backup.pool.query(
        `insert into log.entry (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
        Object.values(row),
      );
    }
    await backup.tamper('update log.head set position = 9');
    // Not hashed yet: nothing to complain about, nothing to sign.
    expect(await backup.publish()).toBeUndefined();
    const again = track(new TlogDatabase(backup.url, backup.key, backup.copies, async () => {}));
    await again.reader.reached(9);
    expect(await again.publish()).toEqual({ size: 10, note: newest });
    await again.close();
    open.splice(open.indexOf(again), 1);
  });
});

describe('the read side', () => {
  test('serves what is published and nothing else', async () => {
    const database = await create();
    await database.append(300);
    await database.publish();
    await database.append(10);
    const { pool } = database;
    expect(await readHashTile(pool, { level: 0, index: 0, width: 256 })).toHaveLength(8192);
    expect(await readHashTile(pool, { level: 0, index: 1, width: 44 })).toHaveLength(44 * 32);
    expect(await readHashTile(pool, { level: 0, index: 1, width: 10 })).toHaveLength(10 * 32);
    expect(await readHashTile(pool, { level: 1, index: 0, width: 1 })).toHaveLength(32);
    for (const tile of [
      { level: 0, index: 1, width: 45 },
      { level: 0, index: 1, width: 256 },
      { level: 0, index: 2, width: 1 },
      { level: 1, index: 0, width: 2 },
      { level: 2, index: 0, width: 1 },
      { level: 63, index: 2 ** 45, width: 256 },
    ]) {
      expect(await readHashTile(pool, tile)).toBeUndefined();
    }
    expect(await readEntryBundle(pool, { index: 1, width: 44 })).toBeInstanceOf(Buffer);
    expect(await readEntryBundle(pool, { index: 1, width: 45 })).toBeUndefined();
    await expect(publishedLog(pool).entries({ index: 1, width: 45 })).rejects.toThrow(TlogError);
  });

  test('turns every receipt into a proof that needs no ledger', async () => {
    const database = await create();
    const { pool, key } = database;
    await database.append(300);
    expect(await receiptProof(pool, SOURCE, 'e-7')).toMatchObject({ status: 'pending', position: 7 });
    await database.publish();
    const policy = { logs: [key], witnesses: new Map(), urls: new Map(), quorum: { threshold: 0, members: [] } };
    for (let i = 0; i < 300; i += 1) {
      const receipt = await receiptProof(pool, SOURCE, `e-${i}`);
      if (receipt?.status !== 'included') throw new Error(`${i} is not included`);
      expect(receipt.position).toBe(i);
      expect(JSON.parse(receipt.entry)).toMatchObject({ id: `e-${i}` });
      verifyProof(parseProof(receipt.proof), leafHash(receipt.entry), policy);
    }
    await database.append(1);
    expect(await receiptProof(pool, SOURCE, 'e-300')).toMatchObject({ status: 'pending', position: 300 });
    expect(await receiptProof(pool, SOURCE, 'nobody')).toBeUndefined();
    expect(await receiptProof(pool, 'urn:other', 'e-7')).toBeUndefined();
  });

  test('notes have one signature, by the log', async () => {
    const database = await create();
    const { note } = (await database.publish())!;
    expect(parseNote(note).signatures.map(({ name }) => name)).toEqual([database.key.name]);
  });
});
