import { beforeAll, describe, expect, test } from '@jest/globals';
import { LedgerError, makeUscc } from '@liandun/contracts';
import { BasicConstraintsExtension, Extension, KeyUsageFlags, type X509Certificate } from '@peculiar/x509';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  identifier,
  signStatement,
  SubjectCa,
  type Holder,
  type TestAlgorithm,
  type Wish,
} from '../../../test/support/subject-ca.js';
import { anchorsOf, type OrganizationTrust } from './organization-certificates.js';
import { SignedStatements } from './signed-statements.js';

const ORIGIN = 'https://ledger.example';
const MINUTE_MS = 60_000;
const [OWN, OTHERS] = [makeUscc('990101', 8301), makeUscc('990101', 8302)];
const fingerprintBy =
  (secret: string) =>
  (text: string): Buffer =>
    createHmac('sha256', secret).update(text).digest();

let root: SubjectCa;
let ca: SubjectCa;
let merchant: Holder;
beforeAll(async () => {
  root = await SubjectCa.root('Fictional Root');
  ca = await root.subordinate('Fictional Organizations CA');
  merchant = await ca.issue('虚构贸易8301有限公司', { attributes: identifier(OWN) });
});

function door(
  more: Partial<OrganizationTrust> = {},
  { origin = ORIGIN, aheadMs = 0, secret = 'one' }: { origin?: string; aheadMs?: number; secret?: string } = {},
): SignedStatements {
  const now = (): Date => new Date(Date.now() + aheadMs);
  return new SignedStatements({ fingerprint: fingerprintBy(secret) }, { anchors: root.pem, ...more }, origin, now);
}

/** What a refusal says: its field and its reason. */
async function refused(work: Promise<unknown>): Promise<[string, string]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LedgerError);
  const { code, errors = [] } = error as LedgerError;
  expect([code, errors.length]).toEqual(['STATEMENT_REFUSED', 1]);
  // Each names the remedy too, in both languages.
  for (const { message, messageZh } of errors) expect(message.length * messageZh.length).toBeGreaterThan(400);
  return [errors[0]!.pointer, errors[0]!.code];
}

const text = (uscc = OWN, at = door()): string => at.challenge(uscc).text;
const changed = (given: string, more: object): string => JSON.stringify({ ...JSON.parse(given), ...more });
const tried = async (holder: Holder, at = door()): Promise<unknown> => at.signer(await signStatement(holder, text()));
const issued = (wish: Wish, by = ca): Promise<Holder> => by.issue('虚构', { attributes: identifier(OWN), ...wish });

describe('P07: who signs a statement with a certificate of his credit code has proved who he is', () => {
  test('P07: a good chain names the code and the challenge, embedded or detached', async () => {
    const given = text();
    const jws = await signStatement(merchant, given);
    const { uscc, challengeId } = await door().signer(jws);
    expect([uscc, JSON.parse(given).challenge.startsWith(`${challengeId}.`)]).toEqual([OWN, true]);
    const detached = jws.replace(/\.[^.]+\./, '..');
    expect(await door().signer(detached, given)).toEqual({ uscc, challengeId });
    expect(await refused(door().signer(detached))).toEqual(['/text', 'STATEMENT_MALFORMED']);
  });

  test.each<TestAlgorithm>(['RS256', 'ES256', 'EdDSA'])('P07: %s', async (algorithm) => {
    expect(await tried(await issued({ algorithm }))).toMatchObject({ uscc: OWN });
  });

  test('P07: the code may stand in an attribute that the operator names, and then in that one only', async () => {
    const codeOid = '1.2.156.10197.6.1.301';
    const holder = await ca.issue('虚构', { attributes: { [codeOid]: OWN } });
    expect(await tried(holder, door({ codeOid }))).toMatchObject({ uscc: OWN });
    expect(await refused(tried(holder))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_NO_CODE']);
    expect(await refused(tried(merchant, door({ codeOid })))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_NO_CODE']);
  });

  test('P07: it says in words what it is for, in both languages', () => {
    expect(JSON.parse(text())).toMatchObject({
      origin: ORIGIN,
      purpose: 'liandun.subject.identify.v1',
      uscc: OWN,
      zh: expect.stringContaining('证明身份'),
      en: expect.stringContaining('shows who it is'),
    });
  });
});

describe('P07: a certificate that proves nothing is refused', () => {
  const UNTRUSTED = 'CERTIFICATE_UNTRUSTED';

  test('P07: of another authority, made by oneself, and with a part of the chain missing', async () => {
    const stranger = await SubjectCa.root('Fictional Root');
    expect(await refused(tried(await issued({}, stranger)))).toEqual(['/jws/header/x5c/0', UNTRUSTED]);
    const own = await SubjectCa.root('Self');
    const selfMade = { ...(await own.issue('Self')), x5c: [Buffer.from(own.cert.rawData).toString('base64')] };
    expect(await refused(tried(selfMade))).toEqual(['/jws/header/x5c/0', UNTRUSTED]);
    expect(await refused(tried({ ...merchant, x5c: merchant.x5c.slice(0, 1) }))).toEqual([
      '/jws/header/x5c/0',
      UNTRUSTED,
    ]);
    expect(await refused(tried({ ...merchant, x5c: ['AAAA'] }))).toEqual(['/jws/header/x5c', UNTRUSTED]);
    expect(await refused(tried({ ...merchant, x5c: [] }))).toEqual(['/jws/header/x5c', UNTRUSTED]);
  });

  test('P07: a merchant’s certificate vouches for no other', async () => {
    const attributes = identifier(OTHERS);
    const forged = await ca.issue('虚构', { attributes });
    expect(await refused(tried({ ...forged, x5c: [forged.x5c[0]!, ...merchant.x5c] }))).toEqual([
      '/jws/header/x5c/0',
      UNTRUSTED,
    ]);
    // Nor an authority below one that may have none below it.
    const below = await ca.subordinate('Too deep');
    const deep = await below.issue('虚构', { attributes: identifier(OWN) });
    const x5c = [...deep.x5c, ...merchant.x5c.slice(1)];
    expect(await refused(tried({ ...deep, x5c }))).toEqual(['/jws/header/x5c/2', UNTRUSTED]);
  });

  test('P07: with a condition that the ledger doesn’t understand', async () => {
    const critical = new Extension('1.2.3.4.5', true, new Uint8Array([5, 0]));
    expect(await refused(tried(await issued({ extensions: [critical] })))).toEqual(['/jws/header/x5c/0', UNTRUSTED]);
  });

  test('P07: no longer valid, and not yet', async () => {
    const [past, ahead] = [new Date(Date.now() - MINUTE_MS), new Date(Date.now() + MINUTE_MS)];
    for (const wish of [{ notAfter: past }, { notBefore: ahead }])
      expect(await refused(tried(await issued(wish)))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_EXPIRED']);
  });

  test('P07: for encryption, for a server, or for an authority', async () => {
    const refusals: Wish[] = [
      { usage: KeyUsageFlags.keyEncipherment },
      { extendedUsage: ['1.3.6.1.5.5.7.3.1'] },
      { extensions: [new BasicConstraintsExtension(true, 0, true)] },
    ];
    for (const wish of refusals)
      expect(await refused(tried(await issued(wish)))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_USAGE']);
    expect(await tried(await issued({ extendedUsage: ['1.3.6.1.5.5.7.3.36'] }))).toMatchObject({ uscc: OWN });
  });

  test.each<[string, Record<string, string | string[]>]>([
    ['of a person', { '2.5.4.42': '某', '2.5.4.4': '虚构' }],
    ['of a person of the organization', { ...identifier(OWN), '2.5.4.42': '某' }],
    ['without a code', {}],
    ['with two codes', { '2.5.4.97': [`NTRCN-${OWN}`, `NTRCN-${OTHERS}`] }],
    ['with another country’s number', { '2.5.4.97': 'NTRDE-HRB12345' }],
    ['with a code that is none', { '2.5.4.97': `NTRCN-${OWN.slice(0, -1)}${OWN.endsWith('0') ? '1' : '0'}` }],
  ])('P07: %s', async (_case, attributes) => {
    const holder = await ca.issue('虚构', { attributes });
    expect(await refused(tried(holder))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_NO_CODE']);
  });

  test('P07: revoked, or with no current list where the operator has lists', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'liandun-crl-'));
    const crlPath = join(folder, 'lists.pem');
    const lists = async (revoked: X509Certificate[], nextUpdate?: Date): Promise<void> =>
      writeFile(crlPath, (await root.list([])) + (await ca.list(revoked, nextUpdate)));
    try {
      await lists([]);
      expect(await tried(merchant, door({ crlPath }))).toMatchObject({ uscc: OWN });
      await lists([merchant.cert]);
      expect(await refused(tried(merchant, door({ crlPath })))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_REVOKED']);
      await lists([], new Date(Date.now() - MINUTE_MS));
      expect(await refused(tried(merchant, door({ crlPath })))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_UNCHECKED']);
      // A list of the same name that another authority signed says nothing.
      const stranger = await SubjectCa.root('Fictional Organizations CA');
      await writeFile(crlPath, (await root.list([])) + (await stranger.list([])));
      expect(await refused(tried(merchant, door({ crlPath })))).toEqual(['/jws/header/x5c/0', 'CERTIFICATE_UNCHECKED']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('P07: anchors are authorities', () => {
    expect(anchorsOf(root.pem + ca.pem)).toHaveLength(2);
    expect(() => anchorsOf(merchant.cert.toString('pem'))).toThrow("no authority's certificate");
    expect(() => anchorsOf('')).toThrow('no certificate');
  });
});

describe('P07: a statement that proves nothing is refused', () => {
  test('P07: of another code than the certificate names', async () => {
    const jws = await signStatement(merchant, text(OTHERS));
    expect(await refused(door().signer(jws))).toEqual(['/jws/payload/uscc', 'STATEMENT_OTHER_CODE']);
  });

  test('P07: changed after it was signed', async () => {
    const [header, payload, signature] = (await signStatement(merchant, text())).split('.') as [string, string, string];
    const another = Buffer.from(text()).toString('base64url');
    expect(payload).not.toBe(another);
    const tampered = door().signer(`${header}.${another}.${signature}`);
    expect(await refused(tampered)).toEqual(['/jws/signature', 'STATEMENT_SIGNATURE']);
    // By a key that the certificate isn't of.
    const others = await ca.issue('虚构', { attributes: identifier(OTHERS) });
    const borrowed = await signStatement({ ...others, x5c: merchant.x5c }, text());
    expect(await refused(door().signer(borrowed))).toEqual(['/jws/signature', 'STATEMENT_SIGNATURE']);
  });

  test('P07: for another ledger, for something else, or in other words', async () => {
    const signedFor = async (more: object): Promise<[string, string]> =>
      refused(door().signer(await signStatement(merchant, changed(text(), more))));
    expect(await signedFor({ origin: 'https://other.example' })).toEqual(['/jws/payload/origin', 'STATEMENT_ORIGIN']);
    expect(await signedFor({ purpose: 'loan' })).toEqual(['/jws/payload/purpose', 'STATEMENT_PURPOSE']);
    expect(await signedFor({ en: 'I agree.' })).toEqual(['/jws/payload/en', 'STATEMENT_PURPOSE']);
    expect(await signedFor({ zh: undefined })).toEqual(['/jws/payload/zh', 'STATEMENT_PURPOSE']);
  });

  test('P07: upon a challenge that is too old, made up, changed, or another ledger’s', async () => {
    const refusal = ['/jws/payload/challenge', 'STATEMENT_CHALLENGE'];
    const given = text();
    const jws = await signStatement(merchant, given);
    expect(await refused(door({}, { aheadMs: 11 * MINUTE_MS }).signer(jws))).toEqual(refusal);
    expect(await refused(door({}, { secret: 'two' }).signer(jws))).toEqual(refusal);
    const [id, until, mac] = JSON.parse(given).challenge.split('.');
    for (const challenge of ['', 7, undefined, `${id}.${Number(until) + 1}.${mac}`]) {
      const other = await signStatement(merchant, changed(given, { challenge }));
      expect(await refused(door().signer(other))).toEqual(refusal);
    }
  });

  test('P07: without a signature, by a shared secret, or with what the ledger doesn’t know', async () => {
    const payload = Buffer.from(text()).toString('base64url');
    const header = (of: object): string =>
      Buffer.from(JSON.stringify({ x5c: merchant.x5c, ...of })).toString('base64url');
    const of = async (head: object): Promise<[string, string]> =>
      refused(door().signer(`${header(head)}.${payload}.AAAA`));
    expect(await refused(door().signer(`${header({ alg: 'none' })}.${payload}.`))).toEqual([
      '/jws/header/alg',
      'STATEMENT_ALGORITHM',
    ]);
    expect(await of({ alg: 'HS256' })).toEqual(['/jws/header/alg', 'STATEMENT_ALGORITHM']);
    expect(await of({ alg: 'ES256', crit: ['b64'], b64: false })).toEqual(['/jws/header/crit', 'STATEMENT_MALFORMED']);
    expect(await of({ alg: 'RS256' })).toEqual(['/jws/signature', 'STATEMENT_SIGNATURE']);
    expect(await refused(door().signer('AAAA.AAAA.AAAA'))).toEqual(['/jws/header', 'STATEMENT_MALFORMED']);
  });
});
