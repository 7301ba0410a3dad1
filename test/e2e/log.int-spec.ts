import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { memberSource, type CloudEvent, type Notice, type Receipt } from '@liandun/contracts';
import {
  formatCheckpoint,
  formatVerifierKey,
  leafHash,
  parsePolicy,
  parseProof,
  signerKeyFromJwk,
  signNote,
  TransparencyLogError,
  verifyProof,
} from '@liandun/transparency-log';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyVariable } from '../../apps/cli/src/context.js';
import { liandun, type Ran } from '../../apps/cli/src/testing/terminal.js';
import { drawn } from '../support/drawn.js';
import { FSCK, FSCK_PACKAGE, SUMDB } from '../support/go-verifiers.js';
import { buildGo, hasGo, runProgram, serveFiles } from '../support/go.js';
import { Product } from '../support/product.js';
import { delisted, organization, person, reported } from '../support/submissions.js';
import { newLogKey } from '../support/tlog-database.js';
import { found, until } from '../support/until.js';

const [A, B, REGULATOR] = ['log-a', 'log-b', 'log-regulator'];
const WHY = { 'liandun-purpose': 'supervision', 'liandun-case': '2020-17' };
let product: Product;
let receipts: Receipt[];
let sent: CloudEvent[];
let notice: CloudEvent<Notice>;
let folder: string;
const env: Record<string, string> = { LANG: 'C' };

beforeAll(async () => {
  product = await Product.start([
    { memberId: A, role: 'platform' },
    { memberId: B, role: 'platform' },
    { memberId: REGULATOR, role: 'regulator' },
  ]);
  folder = await mkdtemp(join(tmpdir(), 'liandun-test-log-'));
  for (const memberId of [A, B, REGULATOR]) {
    env[keyVariable(memberId)] = join(folder, `${memberId}.jwk`);
    await writeFile(join(folder, `${memberId}.jwk`), JSON.stringify(product.keys.get(memberId)));
  }
  Object.assign(env, { LIANDUN_URL: product.url, LOG_VKEY: product.logVkey });
  const shared = organization(drawn(1_000, 900_000));
  await product.client(B).publish(reported(B, 'm-shared', shared) as CloudEvent);
  sent = [
    ...Array.from({ length: 300 }, (_, i) => reported(A, `m-${i}`, person(i))),
    delisted(A, 'm-shared', shared),
  ] as CloudEvent[];
  receipts = await product.client(A).publish(sent);
  notice = await firstNotice();
  await published(notice.data.position);
}, 180_000);
afterAll(async () => {
  await product?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (line: string): Promise<Ran> => liandun(line.split(' '), { env, cwd: folder });

async function firstNotice(): Promise<CloudEvent<Notice>> {
  return found('B has a notice', async () => (await product.client(B).notices(-1)).items[0]);
}

/** Waits for a checkpoint over this position, and gives its size. */
async function published(position: number): Promise<number> {
  return found(`a checkpoint over position ${position}`, async () => {
    const answer = await get('/log/checkpoint');
    const size = Number((await answer.text()).split('\n')[1]);
    return answer.ok && size > position ? size : undefined;
  });
}

async function get(path: string, as?: string, headers: Record<string, string> = {}): Promise<Response> {
  const token: Record<string, string> = as ? { authorization: `Bearer ${await product.client(as).token()}` } : {};
  return fetch(`${product.url}${path}`, { headers: { ...token, ...headers } });
}

async function entryAt(position: number): Promise<{ source: string; id: string }> {
  const pool = product.pool();
  const { rows } = await pool.query('select source, id from log.entry where position = $1', [position]);
  await pool.end();
  return rows[0] as { source: string; id: string };
}

const receiptPath = ({ source, id }: { source: string; id: string }): string =>
  `/v1/receipts/${encodeURIComponent(source)}/${encodeURIComponent(id)}`;

describe('the read side', () => {
  test('checkpoint and hash tiles are public, and may be kept as long as they are true', async () => {
    const checkpoint = await get('/log/checkpoint');
    expect(checkpoint.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(checkpoint.headers.get('cache-control')).toBe('public, no-cache');
    const tile = await get('/log/tile/0/000');
    expect([tile.status, (await tile.arrayBuffer()).byteLength]).toEqual([200, 8192]);
    expect(tile.headers.get('content-type')).toBe('application/octet-stream');
    expect(tile.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await get('/log/tile/0/001.p/9')).status).toBe(200);
  });

  test('entries are for regulators', async () => {
    const path = '/log/tile/entries/000';
    expect((await get(path)).status).toBe(401);
    expect((await get(path, A)).status).toBe(403);
    const bundle = await get(path, REGULATOR);
    expect([bundle.status, bundle.headers.get('cache-control')]).toEqual([200, 'private, max-age=31536000, immutable']);
    expect((await get('/log/tile/%65ntries/000')).status).not.toBe(200);
    expect((await get('/log/tile/0/../entries/000')).status).not.toBe(200);
  });

  test.each([
    '/log/tile/0/999',
    '/log/tile/0/x000/000',
    '/log/tile/0/000.p/256',
    '/log/tile/00/000',
    '/log/tile/0/',
    '/log/tile/64/000',
    '/log/tile/0/000/',
  ])('%s is not there', async (path) => {
    const answer = await get(path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ]);
  });
});

describe('a receipt', () => {
  const policy = (): ReturnType<typeof parsePolicy> => parsePolicy(`log ${product.logVkey}\nquorum none\n`);

  test('becomes a proof that needs no ledger', async () => {
    const text = await get(receiptPath(sent[0]!), A);
    expect([text.status, text.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    const json = await get(receiptPath(sent[0]!), A, { accept: 'application/json' });
    const { position, entry, proof, ...more } = (await json.json()) as Record<string, string>;
    expect(more).toEqual({ status: 'included', leafHash: receipts[0]!.leafHash });
    expect(position).toBe(receipts[0]!.position);
    expect(leafHash(entry!).toString('base64')).toBe(receipts[0]!.leafHash);
    for (const one of [await text.text(), proof!]) verifyProof(parseProof(one), leafHash(entry!), policy());
    const changed = entry!.replace('m-0', 'm-1');
    expect(() => verifyProof(parseProof(proof!), leafHash(changed), policy())).toThrow(TransparencyLogError);
  });

  test('is there for who sent it, who received it, and regulators', async () => {
    const path = receiptPath(await entryAt(notice.data.position));
    expect((await get(path, B)).status).toBe(200);
    expect((await get(path, REGULATOR, WHY)).status).toBe(200);
    expect(await (await get(path, REGULATOR)).json()).toMatchObject({ status: 400, code: 'PURPOSE_REQUIRED' });

    const missing = await get(receiptPath({ source: memberSource(A), id: 'never-sent' }), A);
    expect(missing.status).toBe(404);
    const foreign = [await get(path, A), await get(receiptPath(sent[0]!), B)];
    const texts = await Promise.all([missing, ...foreign].map((answer) => answer.text()));
    expect(new Set(texts).size).toBe(1);
    expect((await get(receiptPath({ source: memberSource(A), id: 'a\0b' }), A)).status).toBe(404);
  });

  test('is pending until a checkpoint covers it', async () => {
    const event = reported(A, 'm-pending', organization(901_000)) as CloudEvent;
    await product.kill('worker');
    const { leafHash: leaf, position } = await product.client(A).publish(event);
    const pending = await get(receiptPath(event), A);
    expect([pending.status, pending.headers.get('retry-after')]).toEqual([202, '1']);
    expect(await pending.json()).toMatchObject({ status: 'pending', leafHash: leaf, position });
    await product.run('worker');
    await published(position!);
    expect((await get(receiptPath(event), A)).status).toBe(200);
  });

  test('is opened by its sender: with the salts anybody can check what was committed', async () => {
    const event = sent[7]!;
    const { entry } = (await (await get(receiptPath(event), A, { accept: 'application/json' })).json()) as {
      entry: string;
    };
    const answer = await get(`${receiptPath(event)}/openings`, A);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { openings } = (await answer.json()) as { openings: { pointer: string; salt: string }[] };
    const at = (root: object, pointer: string): unknown =>
      pointer
        .split('/')
        .slice(1)
        .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], root);
    expect(openings.map(({ pointer }) => pointer).toSorted()).toEqual(['/identity/name', '/identity/residentId']);
    const { data } = JSON.parse(entry) as { data: object };
    for (const { pointer, salt } of openings) {
      const digest = createHash('sha256').update(Buffer.from(salt, 'base64url'));
      const value = at(event.data as object, pointer) as string;
      expect(at(data, pointer)).toMatchObject({ commitment: digest.update(value).digest('base64url') });
    }
    for (const other of [B, REGULATOR]) expect((await get(`${receiptPath(event)}/openings`, other)).status).toBe(404);
  });
});

/** Changes an entry as only the database's owner can, and puts it back after the work. */
async function withChangedEntry(position: number, work: () => Promise<void>): Promise<void> {
  const pool = product.pool();
  const write = async (sql: string): Promise<void> => {
    await pool.query(`begin; set local session_replication_role = replica; ${sql}; commit`);
  };
  const { rows } = await pool.query('select entry from log.entry where position = $1', [position]);
  const { entry } = rows[0] as { entry: string };
  const at = entry.indexOf('"nonce":"') + '"nonce":"'.length + 1;
  const other = entry[at - 1] === 'A' ? 'B' : 'A';
  await write(
    `update log.entry set entry = overlay(entry placing '${other}' from ${at} for 1) where position = ${position}`,
  );
  try {
    await work();
  } finally {
    await write(`update log.entry set entry = overlay(entry placing '${entry[at - 1]}' from ${at} for 1)
      where position = ${position}`);
    await pool.end();
  }
}

describe('liandun log', () => {
  test('verify passes the whole log, and finds every notice of a platform in it', async () => {
    const ran = await run(`log verify --token-of ${REGULATOR} --as ${B} --json`);
    expect(ran.err).toBe('');
    const { entries, ...result } = JSON.parse(ran.out) as { entries: number };
    expect(result).toMatchObject({ verified: true, notices: 1 });
    expect(entries).toBeGreaterThan(300);
    expect((await run(`log verify --token-of ${REGULATOR}`)).out).toMatch(/✓ liandun\.test\/log\n.*all tiles/);
  });

  test('verify says who may read entries, and refuses a log of another key', async () => {
    expect(await run('log verify')).toMatchObject({ code: 4, err: expect.stringContaining('--token-of') as unknown });
    const other = formatVerifierKey(newLogKey('other.example/log'));
    const refused = await run(`log verify --token-of ${REGULATOR} --vkey ${other}`);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('UNTRUSTED_SIGNATURE') as unknown });
    const mistaken = await run(`log verify --token-of ${REGULATOR} --vkey ${other.slice(0, -4)}`);
    expect(mistaken).toMatchObject({ code: 2, err: expect.stringContaining('--vkey other.example/log') as unknown });
  });

  test('export writes a folder that is verified without the ledger, by us and as a start of what comes later', async () => {
    expect(await run(`log export --token-of ${REGULATOR} --out kept`)).toMatchObject({ code: 0 });
    expect(await run('log verify --from kept')).toMatchObject({ code: 0 });
    const { position } = await product.client(A).publish(reported(A, 'm-later', organization(902_000)) as CloudEvent);
    await published(position!);
    const later = await run(`log verify --token-of ${REGULATOR} --checkpoint kept/checkpoint`);
    expect(later).toMatchObject({ code: 0, out: expect.stringContaining('1 older checkpoints') as unknown });
    // A changed byte in the folder.
    const file = join(folder, 'kept/tile/0/000');
    const bytes = await readFile(file);
    bytes[5]! ^= 1;
    await writeFile(file, bytes);
    expect(await run('log verify --from kept')).toMatchObject({
      code: 1,
      err: expect.stringContaining('TILE_MISMATCH') as unknown,
    });
  });

  test('verify reports one changed byte in the database', async () => {
    await withChangedEntry(20, async () => {
      const ran = await run(`log verify --token-of ${REGULATOR} --json`);
      expect([ran.code, ran.out]).toEqual([1, '']);
      expect(ran.err).toContain('"code":"TILE_MISMATCH"');
    });
    expect((await run(`log verify --token-of ${REGULATOR}`)).code).toBe(0);
  });
});

// oxlint-disable-next-line jest/no-disabled-tests -- Go is not needed for anything else
(hasGo ? describe : describe.skip)('verifiers from the Go module proxy (skipped where Go is not installed)', () => {
  let sumdb: string;
  let fsck: string;
  beforeAll(async () => {
    sumdb = await buildGo('sumdb', SUMDB);
    fsck = await buildGo('fsck', FSCK, FSCK_PACKAGE);
  }, 600_000);

  const runFsck = async (): Promise<string> => {
    const key = join(folder, 'log.vkey');
    await writeFile(key, product.logVkey);
    const token = await product.client(REGULATOR).token();
    const options = [
      '-ui=false',
      `-storage_url=${product.url}/log/`,
      `-public_key=${key}`,
      `-bearer_token=${token}`,
      '-N=4',
    ];
    return (await runProgram(fsck, options)).output;
  };

  test('fsck passes the running ledger', async () => {
    expect(await runFsck()).toMatch(/Successfully fsck'd/);
  });

  test('fsck reports one changed byte in the database', async () => {
    await withChangedEntry(20, async () => expect(await runFsck()).toMatch(/fsck failed: /));
  });

  test('sumdb passes what was exported', async () => {
    await run(`log export --token-of ${REGULATOR} --out exported`);
    const { url, close } = await serveFiles((path) => readFile(join(folder, 'exported', path)));
    const { output } = await runProgram(sumdb, [url, product.logVkey]).finally(close);
    expect(output).toMatch(/^verified [0-9]+$/m);
  });
});

test('a database that is behind what was published takes no entry, and says what to do', async () => {
  const copy = join(product.folder, 'log/checkpoint');
  const { logSigning } = JSON.parse(await readFile(join(product.folder, 'keys.json'), 'utf8')) as {
    logSigning: Parameters<typeof signerKeyFromJwk>[0];
  };
  await product.kill('worker');
  const before = await readFile(copy, 'utf8');
  const key = signerKeyFromJwk(logSigning, 'log');
  const ahead = formatCheckpoint({ origin: key.name, size: 1_000_000, rootHash: Buffer.alloc(32, 1) });
  await writeFile(copy, signNote(ahead, key));
  const restarted = product.run('worker').then(
    () => 'ready',
    () => 'not ready',
  );
  const ready = async (app: 'api' | 'worker'): Promise<string> =>
    (await fetch(`${product.urlOf(app)}/health/ready`).catch(() => undefined))?.text() ?? '';
  await until('the API has heard of it', async () => (await ready('api')).includes('LOG_HALTED'));
  expect(await ready('api')).toMatch(/PUBLISHED_AHEAD.*checkpoint over 1000000 was published.*newer backup/);
  await until('the worker answers', async () => (await ready('worker')) !== '');
  expect(await ready('worker')).toMatch(/"name":"publisher","healthy":false.*newer backup/);

  const event = reported(A, 'm-halted', organization(903_000));
  const refused = await fetch(`${product.url}/v1/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await product.client(A).token()}`,
      'content-type': 'application/cloudevents+json',
    },
    body: JSON.stringify(event),
  });
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'LOG_HALTED']);

  await product.kill('worker');
  expect(await restarted).toBe('not ready');
  await writeFile(copy, before);
  await product.run('worker');
  await until('the API has heard of it', async () => !(await ready('api')).includes('LOG_HALTED'));
  expect(await product.client(A).publish(event as CloudEvent)).toMatchObject({ status: 'accepted' });
});
