import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  formatVerifierKey,
  openCheckpoint,
  parsePolicy,
  parseProof,
  signerKeyFromJwk,
  verifyProof,
  type OpenedCheckpoint,
} from '@liandun/transparency-log';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemoryCopy, newLogKey, SOURCE, TlogDatabase } from '../../../test/support/tlog-database.js';
import { found, until } from '../../../test/support/until.js';
import { WitnessProcess } from '../../../test/support/witness.js';
import {
  publishCheckpoint,
  receiptProof,
  runPublisher,
  shownCheckpoint,
  witnessPolicy,
  Witnesses,
  type WitnessPolicy,
} from './index.js';

const key = newLogKey();
const vkey = formatVerifierKey(key);
let database: TlogDatabase;
let all: WitnessProcess[];
let running: Witnesses[];

beforeEach(async () => {
  [all, running] = [[], []];
  database = await TlogDatabase.create(key);
});
afterEach(async () => {
  for (const witness of all) witness.resume();
  await Promise.all(running.map((witnesses) => witnesses.stop()));
  await Promise.all(all.map((witness) => witness.end()));
  await database.end();
});

async function start(count: number): Promise<WitnessProcess[]> {
  all = await Promise.all(Array.from({ length: count }, (_, i) => WitnessProcess.start(vkey, `witness.test/w${i}`)));
  return all;
}

const policyText = (threshold: number | 'all', lines = all.map(({ policyLine }) => policyLine)): string =>
  [`log ${vkey}`, ...lines, `group all-of-them ${threshold} ${lines.map((line) => line.split(' ')[1]).join(' ')}`]
    .concat('quorum all-of-them', '')
    .join('\n');
const policyOf = (threshold: number | 'all'): WitnessPolicy => witnessPolicy(policyText(threshold), key);

function follow(policy: WitnessPolicy, { pool } = database): Witnesses {
  const witnesses = new Witnesses({ pool, log: key, policy }).start();
  running.push(witnesses);
  return witnesses;
}

async function publish(count: number): Promise<number> {
  await database.append(count);
  return (await database.publish())!.size;
}

/** The checkpoint that is shown, once it is of this size. */
async function shown(policy: WitnessPolicy, size: number, { pool } = database): Promise<OpenedCheckpoint> {
  const { note } = await found(`a checkpoint over ${size} is shown`, async () => {
    const checkpoint = await shownCheckpoint(pool, policy);
    return checkpoint?.size === size ? checkpoint : undefined;
  });
  return openCheckpoint(note, { logs: [key], witnesses: policy.witnesses.map((one) => one.key) });
}

const cosigners = ({ signatures }: OpenedCheckpoint): string[] =>
  signatures.flatMap(({ key: { name, use } }) => (use === 'witness' ? [name] : [])).toSorted();

describe('the quorum', () => {
  test('what is shown has the cosignatures of enough witnesses, and so has a receipt', async () => {
    await start(3);
    const policy = policyOf('all');
    const size = await publish(300);
    expect(await shownCheckpoint(database.pool, policy)).toBeUndefined();
    follow(policy);
    expect(cosigners(await shown(policy, size))).toEqual(['witness.test/w0', 'witness.test/w1', 'witness.test/w2']);
    const receipt = await receiptProof(database.pool, SOURCE, 'e-17', { policy });
    if (receipt?.status !== 'included') throw new Error('The receipt is pending');
    const opened = verifyProof(parseProof(receipt.proof), receipt.leafHash, parsePolicy(policyText('all')));
    expect(opened.signatures).toHaveLength(4);
    const later = await publish(400);
    expect(cosigners(await shown(policy, later))).toHaveLength(3);
  });

  test('the empty log is shown too', async () => {
    await start(1);
    const policy = policyOf('all');
    const witnesses = new Witnesses({ pool: database.pool, log: key, policy });
    const publisher = runPublisher({ pool: database.pool, log: key, copies: database.copies, witnesses });
    await publisher.looked;
    running.push(witnesses.start());
    expect(cosigners(await shown(policy, 0))).toHaveLength(1);
    await publisher.stop();
  });

  test('a checkpoint with too few is not shown, and a receipt that it covers is pending', async () => {
    await start(2);
    const policy = policyOf('all');
    const witnesses = follow(policy);
    await shown(policy, await publish(5));
    await all[1]!.stop('SIGKILL');
    const size = await publish(5);
    await until('the first has cosigned', () => witnesses.status().witnesses[0]!.cosignedSize === size);
    expect((await shownCheckpoint(database.pool, policy))?.size).toBe(5);
    expect(await receiptProof(database.pool, SOURCE, 'e-7', { policy })).toMatchObject({ status: 'pending' });
    expect(witnesses.status().witnesses[1]!.problem).toMatch(/can't be reached/);
    await all[1]!.run();
    expect(cosigners(await shown(policy, size))).toHaveLength(2);
  });

  test('one that is down or hangs holds nobody up', async () => {
    await start(3);
    await all[0]!.stop('SIGKILL');
    all[1]!.pause();
    const policy = witnessPolicy(policyText(1), key);
    follow(policy);
    for (let round = 0; round < 3; round += 1) {
      const opened = await shown(policy, await publish(3));
      expect(cosigners(opened)).toEqual(['witness.test/w2']);
    }
  });

  test('a stricter policy shows what it asks for, and nothing from before', async () => {
    await start(2);
    const loose = policyOf(1);
    const size = await publish(5);
    await all[1]!.stop();
    follow(loose);
    await shown(loose, size);
    const strict = policyOf('all');
    expect(await shownCheckpoint(database.pool, strict)).toBeUndefined();
    await all[1]!.run();
    follow(strict);
    expect(cosigners(await shown(strict, size))).toHaveLength(2);
  });

  test('cosignatures that were stored never change', async () => {
    await start(1);
    const policy = policyOf('all');
    follow(policy);
    await shown(policy, await publish(5));
    for (const table of ['cosignature', 'witnessed']) {
      await expect(database.tamper(`delete from tlog.${table}`)).rejects.toThrow(/only grows/);
    }
    await expect(database.pool.query(`update tlog.cosignature set line = ''`)).rejects.toThrow(/permission denied/);
  });
});

describe('a conflict', () => {
  test('of two that ask one witness is settled', async () => {
    await start(1);
    const policy = policyOf('all');
    const both = [follow(policy), follow(policy)];
    for (let round = 0; round < 5; round += 1) await shown(policy, await publish(7));
    for (const witnesses of both) {
      await until('the witness has cosigned', () => witnesses.status().witnesses[0]?.cosignedSize === 35);
      expect(witnesses.refusal).toBeUndefined();
    }
  });

  test('with a witness whose newest cosignature was lost on the way is settled', async () => {
    await start(1);
    const policy = policyOf('all');
    await publish(5);
    const lost = new Witnesses({ pool: database.pool, log: key, policy });
    await lost.compare();
    await database.tamper(
      `set session_replication_role = replica; delete from tlog.witnessed; delete from tlog.cosignature`,
    );
    follow(policy);
    expect(cosigners(await shown(policy, 5))).toHaveLength(1);
    await shown(policy, await publish(5));
  });
});

/** Another database under the same key, as a restored backup is, with entries of its own. */
async function restored(count: number, prefix: string): Promise<TlogDatabase> {
  const other = await TlogDatabase.create(key, [new MemoryCopy()]);
  await other.append(count, { prefix });
  return other;
}

describe('a fork', () => {
  let other: TlogDatabase | undefined;
  afterEach(async () => {
    await other?.end();
    other = undefined;
  });

  const alarms = async ({ pool }: TlogDatabase) =>
    (await pool.query('select code, evidence is not null as proven from tlog.alarm where ended_at is null')).rows;

  test.each([
    ['as large', 300, 'WITNESS_FORKED'],
    ['larger', 400, 'WITNESS_FORKED'],
  ])('that is %s is refused by the witness, raised, and ends signing', async (_, count, code) => {
    const [witness] = await start(1);
    const policy = policyOf('all');
    follow(policy);
    await shown(policy, await publish(300));

    const forked = (other = await restored(count, 'other'));
    await publishCheckpoint({ pool: forked.pool, log: key, copies: forked.copies });
    const witnesses = follow(policy, forked);
    await until('nothing may be signed', () => witnesses.refusal !== undefined);
    expect(witnesses.refusal).toMatchObject({
      code,
      message: expect.stringMatching(/witness\.test\/w0.*own key.*Restore a backup/) as unknown,
      messageZh: expect.stringMatching(/分叉.*备份/) as unknown,
    });
    expect(witnesses.status().witnesses[0]).toMatchObject({ alarm: code });
    await until('there is an alarm', async () => (await alarms(forked)).length > 0);
    expect(await alarms(forked)).toEqual([{ code, proven: true }]);
    expect(await shownCheckpoint(forked.pool, policy)).toBeUndefined();
    expect(witness!.events().map(({ event }) => event)).toContain(count === 300 ? 'forked' : 'inconsistent');

    const publisher = runPublisher({ pool: forked.pool, log: key, copies: forked.copies, witnesses });
    await publisher.looked;
    expect(publisher.status().stopped).toMatch(/the log was forked/);
    await publisher.stop();
  });

  test('a backup that was restored together with its copies is noticed before anything is signed', async () => {
    await start(1);
    const policy = policyOf('all');
    follow(policy);
    await shown(policy, await publish(300));
    const older = (other = await restored(200, 'e'));
    const witnesses = new Witnesses({ pool: older.pool, log: key, policy });
    const publisher = runPublisher({ pool: older.pool, log: key, copies: older.copies, witnesses });
    await publisher.looked;
    expect(publisher.status()).toEqual({
      stopped: expect.stringMatching(/has cosigned 300 entries, more than were ever published/) as unknown,
    });
    expect((await older.copies[0]!.read()) ?? 'nothing').toBe('nothing');
    const { rows } = await older.pool.query('select code from tlog.halt');
    expect(rows).toEqual([{ code: 'WITNESS_AHEAD' }]);
    await publisher.stop();

    // It lasts: also where the witness can't be reached at the next start.
    await all[0]!.stop();
    const again = new Witnesses({ pool: older.pool, log: key, policy });
    await again.compare();
    expect(again.refusal?.code).toBe('WITNESS_AHEAD');
  });

  test('a backup that lacks the checkpoint but has its entries goes on', async () => {
    await start(1);
    const policy = policyOf('all');
    const first = follow(policy);
    await shown(policy, await publish(300));
    await first.stop();
    await database.tamper(
      'set session_replication_role = replica; delete from tlog.witnessed; delete from tlog.cosignature; delete from tlog.checkpoint',
    );
    const witnesses = new Witnesses({ pool: database.pool, log: key, policy });
    const publisher = runPublisher({ pool: database.pool, log: key, copies: [new MemoryCopy()], witnesses });
    await publisher.looked;
    expect(publisher.status()).toEqual({ size: 300 });
    running.push(witnesses.start());
    await shown(policy, 300);
    await publisher.stop();
  });

  test('the word of one witness alone ends nothing while the others are enough', async () => {
    await start(1);
    const liar = await lyingWitness();
    try {
      const text = policyText(1, [all[0]!.policyLine, liar.line]);
      const policy = witnessPolicy(text, key);
      const witnesses = follow(policy);
      await shown(policy, await publish(5));
      await until('the second one alarms', () => witnesses.status().witnesses[1]?.alarm !== undefined);
      expect(witnesses.refusal).toBeUndefined();
      await shown(policy, await publish(5));
      await until('there is an alarm', async () => (await alarms(database)).length > 0);
      expect(await alarms(database)).toEqual([{ code: 'WITNESS_AHEAD', proven: false }]);
      // Without the one that agrees there would not be enough.
      const needed = new Witnesses({
        pool: database.pool,
        log: key,
        policy: witnessPolicy(policyText('all', [all[0]!.policyLine, liar.line]), key),
      });
      await needed.compare();
      expect(needed.refusal?.message).toMatch(/take it out of the policy/);
      // The policy that drops it ends the alarm.
      await new Witnesses({ pool: database.pool, log: key, policy: policyOf('all') }).compare();
      expect(await alarms(database)).toEqual([]);
    } finally {
      liar.server.close();
      liar.server.closeAllConnections();
    }
  });
});

/** Says that it has cosigned more than there is, and can't show it. */
async function lyingWitness(): Promise<{ line: string; server: Server }> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.method === 'GET') response.writeHead(404).end();
    else response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('1000000\n');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const its = formatVerifierKey(signerKeyFromJwk({ ...jwk, kid: 'liar.test/w' }, 'witness'));
  const { port } = server.address() as AddressInfo;
  return { line: `witness liar ${its} http://127.0.0.1:${port}`, server };
}

test.each([
  ['quorum none', undefined],
  [`log ${formatVerifierKey(newLogKey('other.example/log'))}\nquorum none`, 'names other logs'],
  ['nonsense', 'A line starts with'],
])('a policy file %j', (text, problem) => {
  const read = (): unknown => witnessPolicy(`${text}\n`, key).witnesses;
  if (problem === undefined) expect(read()).toEqual([]);
  else expect(read).toThrow(problem);
});
