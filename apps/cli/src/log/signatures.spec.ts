import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { committedForm, saltsFrom, signEvent } from '@liandun/commitments';
import { EVENT_TYPES, LEDGER_SOURCE, memberSource, type CloudEvent } from '@liandun/contracts';
import { canonicalJson } from '@liandun/transparency-log';
import { SignatureCheck } from './signatures.js';

const newKey = (kid: string): { kid: string; d?: string } => ({
  ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  kid,
});
const publicKey = ({ d: _private, ...key }: { d?: string }): object => key;
const [first, second] = [newKey('k1'), newKey('k2')];
const entry = (content: object): Buffer => Buffer.from(canonicalJson({ v: 1, nonce: 'n', stream: 's', ...content }));
const ledger = (type: string, data: object): Buffer =>
  entry({ id: 'l', source: LEDGER_SOURCE, time: 't', type, data: { memberId: 'a', ...data } });
const admitted = ledger(EVENT_TYPES.memberAdmitted, { keys: [publicKey(first)] });
const keyAdded = ledger(EVENT_TYPES.memberKeyAdded, { key: publicKey(second) });

const signed = async (key: object, change: object = {}): Promise<Buffer> => {
  const event: CloudEvent = {
    specversion: '1.0',
    id: 'e',
    source: memberSource('a'),
    type: 'liandun.merchant.reported.v1',
    time: 't',
    data: { merchantId: '"signature":"', identity: { kind: 'person', name: '虚构人' } },
  };
  const { salt = '', signature, ...sent } = await signEvent(event, key);
  const { data } = committedForm(sent.data as object, saltsFrom(salt));
  return entry({ ...sent, data: { ...data, clockAhead: true, signature, ...change } });
};

test('signatures are checked by the keys that came before in the log, and counted', async () => {
  const check = new SignatureCheck();
  const unsigned = entry({ id: 'u', source: memberSource('a'), data: { merchantId: '"signature":"' } });
  const entries = [admitted, await signed(first), unsigned, keyAdded, await signed(second)];
  for (const [position, each] of entries.entries()) await check.take(position, each);
  expect(check.signed).toBe(2);
});

test.each([
  ['of a key that came later', () => signed(second), [admitted]],
  ['of a member that the log does not know', () => signed(first), []],
  ['over other data', () => signed(first, { merchantId: 'm-2' }), [admitted, keyAdded]],
])('an entry with a signature %s is told by its position', async (_name, wrong, before) => {
  const check = new SignatureCheck();
  for (const [position, each] of before.entries()) await check.take(position, each);
  await expect(check.take(7, await wrong())).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
});
