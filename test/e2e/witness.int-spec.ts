import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CloudEvent, Receipt } from '@liandun/contracts';
import {
  formatCheckpoint,
  leafHash,
  openCheckpoint,
  parsePolicy,
  parseProof,
  parseVerifierKey,
  signerKeyFromJwk,
  signNote,
  verifyProof,
  type TrustPolicy,
} from '@liandun/transparency-log';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyVariable } from '../../apps/cli/src/context.js';
import { liandun, type Ran } from '../../apps/cli/src/testing/terminal.js';
import { drawn } from '../support/drawn.js';
import { Launcher, shareJars } from '../support/launcher.js';
import { Product } from '../support/product.js';
import { delisted, organization, reported } from '../support/submissions.js';
import { found, until } from '../support/until.js';
import { WitnessProcess } from '../support/witness.js';

const [A, B, REGULATOR] = ['witnessed-a', 'witnessed-b', 'witnessed-regulator'];
let folder: string;
let product: Product;
let witnesses: WitnessProcess[];
let policy: TrustPolicy;
let sent: CloudEvent;
let receipt: Receipt;
const env: Record<string, string> = { LANG: 'C' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liandun-test-witnessed-'));
  const policyFile = join(folder, 'witnesses.policy');
  const members = [
    { memberId: A, role: 'platform' as const },
    { memberId: B, role: 'platform' as const },
    { memberId: REGULATOR, role: 'regulator' as const },
  ];
  product = await Product.start(members, undefined, [], { LIANDUN_WITNESSES: policyFile });
  witnesses = await Promise.all(
    ['witness.test/w1', 'witness.test/w2'].map((name) => WitnessProcess.start(product.logVkey, name)),
  );
  const lines = witnesses.map(({ policyLine }) => policyLine).join('\n');
  const text = `log ${product.logVkey}\n${lines}\ngroup two all witness.test/w1 witness.test/w2\nquorum two\n`;
  await writeFile(policyFile, text);
  policy = parsePolicy(text);
  await product.run('worker');
  await product.run('api');
  for (const memberId of [A, B, REGULATOR]) {
    env[keyVariable(memberId)] = join(folder, `${memberId}.jwk`);
    await writeFile(join(folder, `${memberId}.jwk`), JSON.stringify(product.keys.get(memberId)));
  }
  Object.assign(env, { LIANDUN_URL: product.url, LOG_VKEY: product.logVkey });
  const merchant = organization(drawn(1_000, 900_000));
  await product.client(B).publish(reported(B, 'm-shared', merchant) as CloudEvent);
  sent = delisted(A, 'm-shared', merchant) as CloudEvent;
  receipt = await product.client(A).publish(sent);
}, 180_000);
afterAll(async () => {
  await Promise.all(witnesses.map((witness) => witness.end()));
  await product?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (line: string): Promise<Ran> => liandun(line.split(' '), { env, cwd: folder });

/** The checkpoint that anybody is shown, once it covers this position. */
async function shown(position: number): Promise<string> {
  return found(`a checkpoint over position ${position}`, async () => {
    const answer = await fetch(`${product.url}/log/checkpoint`);
    const text = await answer.text();
    return answer.ok && Number(text.split('\n')[1]) > position ? text : undefined;
  });
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${product.urlOf('worker')}/metrics`)).text();
  return Number(new RegExp(`^${name}\\S* (\\d+)$`, 'm').exec(text)?.[1]);
}

describe('a ledger with a policy', () => {
  test('shows checkpoints that every witness of it has cosigned, in a receipt too', async () => {
    const opened = openCheckpoint(await shown(receipt.position!), {
      logs: policy.logs,
      witnesses: [...policy.witnesses.values()],
    });
    expect(opened.signatures.map(({ key }) => key.name).toSorted()).toEqual([
      'liandun.test/log',
      'witness.test/w1',
      'witness.test/w2',
    ]);
    const path = `/v1/receipts/${encodeURIComponent(sent.source)}/${encodeURIComponent(sent.id)}`;
    const headers = { authorization: `Bearer ${await product.client(A).token()}`, accept: 'application/json' };
    const answer = await fetch(`${product.url}${path}`, { headers });
    const { entry, proof } = (await answer.json()) as { entry: string; proof: string };
    verifyProof(parseProof(proof), leafHash(entry), policy);
    expect(await metric('liandun_log_witnessed_size')).toBeGreaterThan(receipt.position!);
  });

  test('is verified under the policy, also from an export', async () => {
    const verified = await run(`log verify --token-of ${REGULATOR} --policy witnesses.policy`);
    expect([verified.code, verified.out]).toEqual([
      0,
      expect.stringMatching(/cosigned by witness.test\/w1 at .*\+08:00/),
    ]);
    await run(`log export --token-of ${REGULATOR} --policy witnesses.policy --out kept`);
    expect(await run('log verify --from kept --policy witnesses.policy')).toMatchObject({ code: 0 });
    const checkpoint = await readFile(join(folder, 'kept/checkpoint'), 'utf8');
    await writeFile(join(folder, 'kept/checkpoint'), checkpoint.replace(/— witness.test\/w1 .*\n/, ''));
    expect(await run('log verify --from kept --policy witnesses.policy')).toMatchObject({
      code: 1,
      err: expect.stringContaining('QUORUM_NOT_REACHED') as unknown,
    });
  });

  test('lets a platform prove its notices from public tiles, without the entries', async () => {
    await until('B has a notice', async () => (await product.client(B).notices(-1)).items.length > 0);
    const ran = await run(`log verify --as ${B} --json`);
    expect([ran.code, JSON.parse(ran.out)]).toEqual([
      0,
      expect.objectContaining({ verified: true, entriesRead: false, notices: 1 }),
    ]);
    const pool = product.pool();
    const { rows } = await pool.query(`select position from log.entry where stream = $1`, [`notices/${B}`]);
    const position = Number((rows[0] as { position: string }).position);
    const change = (offset: number): Promise<unknown> =>
      pool.query(`begin; set local session_replication_role = replica;
        update tlog.tile set hashes = set_byte(hashes, ${offset}, (get_byte(hashes, ${offset}) # 1)) where level = 0 and index = 0; commit`);
    for (const [offset, code] of [
      [position * 32, 'NOT_INCLUDED'],
      [((position + 1) % 4) * 32, 'NOT_INCLUDED'],
    ] as const) {
      await change(offset);
      expect(await run(`log verify --as ${B}`)).toMatchObject({
        code: 1,
        err: expect.stringContaining(code) as unknown,
      });
      await change(offset);
    }
    await pool.end();
    expect(await run(`log verify --as ${B}`)).toMatchObject({ code: 0 });
  });

  test('goes on accepting while a witness is down, and shows the old checkpoint until it is back', async () => {
    await witnesses[1]!.stop('SIGKILL');
    const event = reported(A, 'm-later', organization(904_000)) as CloudEvent;
    const { position, status } = await product.client(A).publish(event);
    expect(status).toBe('accepted');
    await until('its witnesses are measured', async () => (await metric('liandun_log_witness_failing')) >= 0);
    await until('it is published', async () => (await metric('liandun_log_published_size')) > position!);
    const text = await (await fetch(`${product.url}/log/checkpoint`)).text();
    expect(Number(text.split('\n')[1])).toBeLessThanOrEqual(position!);
    await witnesses[1]!.run();
    await shown(position!);
  });

  test('takes no entry where its witnesses have seen more of it', async () => {
    const key = await logKey(product.folder);
    await product.kill('worker');
    const size = Number((await shown(0)).split('\n')[1]);
    // As if this database and its copy were an older backup: the witnesses know a checkpoint that it never published.
    const ahead = signNote(formatCheckpoint({ origin: key.name, size: 1_000, rootHash: Buffer.alloc(32, 7) }), key);
    for (const witness of witnesses) {
      await witness.stop();
      witness.forge(key.name, { size: 1_000, rootHash: Buffer.alloc(32, 7), note: ahead });
      await witness.run();
    }
    const restarted = product.run('worker').then(
      () => 'ready',
      () => 'not ready',
    );
    const ready = async (app: 'api' | 'worker'): Promise<string> =>
      (await fetch(`${product.urlOf(app)}/health/ready`).catch(() => undefined))?.text() ?? '';
    await until('the API has heard of it', async () => (await ready('api')).includes('LOG_HALTED'));
    const { detail, detailZh } = JSON.parse(await ready('api')) as { detail: string; detailZh: string };
    expect(detail).toMatch(/WITNESS_AHEAD: Witness .* has cosigned 1000 entries.*own key.*Restore a backup/);
    expect(detailZh).toMatch(/WITNESS_AHEAD：.*备份/);
    const alarms = await product.client('admin-1').get<{ witnesses: object[] }>('/v1/alarms');
    expect(alarms.witnesses).toContainEqual({
      witness: expect.stringContaining('witness.test/w') as unknown,
      code: 'WITNESS_AHEAD',
      message: expect.stringContaining('has cosigned 1000 entries') as unknown,
      messageZh: expect.stringContaining('备份') as unknown,
      since: expect.stringMatching(/\+08:00$/) as unknown,
    });
    await until('the worker answers', async () => (await ready('worker')) !== '');
    expect(await ready('worker')).toMatch(/"name":"log","healthy":false/);
    await product.kill('worker');
    expect(await restarted).toBe('not ready');
    expect(
      Number((await readFile(join(product.folder, 'log/checkpoint'), 'utf8')).split('\n')[1]),
    ).toBeGreaterThanOrEqual(size);
  });
});

async function logKey(home: string): Promise<ReturnType<typeof signerKeyFromJwk>> {
  const { logSigning } = JSON.parse(await readFile(join(home, 'keys.json'), 'utf8')) as {
    logSigning: Parameters<typeof signerKeyFromJwk>[0];
  };
  return signerKeyFromJwk(logSigning, 'log');
}

test('npm start runs a witness, and shows at once what to do where the log is behind what was published', async () => {
  const home = await mkdtemp(join(tmpdir(), 'liandun-test-halted-'));
  await shareJars(home);
  try {
    const first = new Launcher(home, ['--no-scenario']);
    await first.saw(/Stop it with Ctrl-C/);
    const settings = await readFile(join(home, 'env'), 'utf8');
    const [, url] = /^LIANDUN_URL=(.*)$/m.exec(settings)!;
    const text = await readFile(join(home, 'witnesses.policy'), 'utf8');
    const trust = parsePolicy(text);
    const checkpoint = await (await fetch(`${url}/log/checkpoint`)).text();
    const witnessKeys = [...trust.witnesses.values()];
    expect(openCheckpoint(checkpoint, { logs: trust.logs, witnesses: witnessKeys }).signatures).toHaveLength(2);
    expect(trust.logs[0]).toEqual(parseVerifierKey(/^LOG_VKEY=(.*)$/m.exec(settings)![1]!));
    first.kill('SIGINT');
    expect(await first.ended).toBe(0);

    const key = await logKey(home);
    const ahead = formatCheckpoint({ origin: key.name, size: 1_000_000, rootHash: Buffer.alloc(32, 1) });
    await writeFile(join(home, 'log/checkpoint'), signNote(ahead, key));
    const second = new Launcher(home, ['--no-scenario']);
    expect(await second.ended).toBe(1);
    expect(second.output).toMatch(/✗ PUBLISHED_AHEAD: .*newer backup.* · .*请恢复较新的备份/);
    expect(second.output).not.toMatch(/not ready after/);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}, 240_000);
