import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority, readServerTls, requireDatabaseTls, requireTls, TlsError, type Issued } from './index.js';

const DAY_MS = 86_400_000;
let folder: string;
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const pair = (name: string, { cert, key }: Issued) => ({
  cert: file(`${name}.pem`, cert),
  key: file(`${name}.key`, key),
});

let valid: ReturnType<typeof pair>;
let expired: ReturnType<typeof pair>;
let early: ReturnType<typeof pair>;
let ca: string;
let otherCa: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'liandun-tls-'));
  const own = await authority('an authority');
  const at = (days: number): Date => new Date(Date.now() + days * DAY_MS);
  const hosts = ['ledger.example', '*.wild.example', '192.0.2.7'];
  valid = pair('valid', await own.issue({ name: 'ledger', hosts }));
  expired = pair('expired', await own.issue({ name: 'ledger', hosts, notBefore: at(-9), notAfter: at(-1) }));
  early = pair('early', await own.issue({ name: 'ledger', hosts, notBefore: at(1), notAfter: at(9) }));
  ca = file('ca.pem', own.cert);
  otherCa = file('other-ca.pem', (await authority('another')).cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'fine';
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    expect(error.english).not.toBe('');
    expect(error.chinese).toMatch(/\p{Script=Han}/u);
    return error.code;
  }
}

describe('a certificate', () => {
  test.each([
    ['its own name', () => readServerTls({ ...valid, ca }, 'ledger.example'), 'fine'],
    ['an address that it has', () => readServerTls({ ...valid, ca }, '192.0.2.7'), 'fine'],
    ['a name under its wildcard', () => readServerTls({ ...valid, ca }, 'a.wild.example'), 'fine'],
    ['another name', () => readServerTls({ ...valid, ca }, 'other.example'), 'WRONG_NAME'],
    ['another address', () => readServerTls({ ...valid, ca }, '192.0.2.8'), 'WRONG_NAME'],
    ['another authority', () => readServerTls({ ...valid, ca: otherCa }, 'ledger.example'), 'UNTRUSTED'],
    ['no authority that Node knows', () => readServerTls(valid, 'ledger.example'), 'UNTRUSTED'],
    ['the day after its last', () => readServerTls(expired), 'EXPIRED'],
    ['the day before its first', () => readServerTls(early), 'NOT_YET_VALID'],
    ["another certificate's key", () => readServerTls({ ...valid, key: early.key }), 'KEY_DIFFERS'],
    ['a key in its place', () => readServerTls({ ...valid, cert: valid.key }), 'MALFORMED'],
    ['itself in the place of its key', () => readServerTls({ ...valid, key: valid.cert }), 'MALFORMED'],
    ['a file that is missing', () => readServerTls({ ...valid, key: '/no/such.key' }), 'UNREADABLE'],
    ['a folder', () => readServerTls({ ...valid, cert: folder }), 'UNREADABLE'],
  ])('for %s', (_, read, code) => expect(codeOf(read)).toBe(code));
});

describe('nothing leaves the machine in the clear', () => {
  test.each([
    ['127.0.0.1', 'fine'],
    ['::1', 'fine'],
    ['localhost', 'fine'],
    ['0.0.0.0', 'PLAIN'],
    ['::', 'PLAIN'],
    ['localhost.example', 'PLAIN'],
    ['127.0.0.1.example', 'PLAIN'],
  ])('a server on %s', (host, code) => expect(codeOf(() => requireTls(host, undefined))).toBe(code));

  test.each([
    ['postgres://u@127.0.0.1:5432/l', 'fine'],
    ['postgres://u@[::1]/l', 'fine'],
    ['postgres://u@%2Fvar%2Frun%2Fpostgresql/l', 'fine'],
    ['postgres:///l?host=/var/run/postgresql', 'fine'],
    ['postgres://u@db.example/l?sslmode=verify-full', 'fine'],
    ['postgres://u@db.example/l', 'PLAIN'],
    ['postgres://u@db.example/l?sslmode=require', 'PLAIN'],
    ['postgres://u@db.example/l?sslmode=no-verify', 'PLAIN'],
    ['postgres://u@127.0.0.1/l?host=db.example', 'PLAIN'],
  ])('a connection to %s', (url, code) => expect(codeOf(() => requireDatabaseTls(url))).toBe(code));
});
