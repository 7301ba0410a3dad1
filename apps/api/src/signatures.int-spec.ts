import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signedTextOfEntry, signEvent, verifySignature, type SignedContent } from '@liandun/commitments';
import type { CloudEvent, MemberKey } from '@liandun/contracts';
import { LiandunClient } from '@liandun/sdk';
import type { JWK } from 'jose';
import { ed25519, publicKeyOf, TestApi, type Answer, type TestMember } from '../../../test/support/api.js';
import { delisted, ending, organization, person, reported } from '../../../test/support/submissions.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

let serial = 0;
const report = (member: TestMember): CloudEvent => {
  serial += 1;
  return reported(member, `m-${serial}`, person(serial, { phones: ['13800000000'] })) as CloudEvent;
};
const keyOf = (member: TestMember): JWK => api.keys.get(member) as JWK;
const client = (member: TestMember, sign = true): LiandunClient =>
  new LiandunClient({ url: api.api.url, memberId: member, key: keyOf(member), sign });
const entryOf = async ({ source, id }: CloudEvent): Promise<SignedContent & { entry: string }> => {
  const { rows } = await api.pool.query('select entry from log.entry where source = $1 and id = $2', [source, id]);
  const entry = Buffer.from(rows[0].entry).toString('utf8');
  return { ...JSON.parse(entry), entry };
};
/** What the documented recipe says, in a process that knows nothing of Liandun. */
const checked = (entry: string, key: JWK): string => {
  const folder = mkdtempSync(join(tmpdir(), 'liandun-signature-'));
  const files = [entry, JSON.stringify(publicKeyOf(key))].map((text, i) => {
    writeFileSync(join(folder, `${i}.json`), text);
    return join(folder, `${i}.json`);
  });
  const { stdout } = spawnSync(process.execPath, ['docs/examples/check-signature.ts', ...files], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return stdout;
};
const refusal = ({ status, body }: Answer): unknown[] => [status, body.code, body.errors[0].pointer];
const approved = async (path: string, body: object): Promise<void> => {
  const { body: requested } = await api.call('admin', 'POST', path, { body });
  const { status } = await api.call('admin-2', 'POST', `/v1/approvals/${requested.approvalId}`, {
    body: { decision: 'approve' },
  });
  expect(status).toBe(200);
};

test.each(['platform-a', 'platform-b'] as const)(
  '%s cannot deny what it sent: its entry bears its signature',
  async (member) => {
    const event = report(member);
    const receipt = await client(member).publish(event);
    expect(receipt.status).toBe('accepted');
    const entry = await entryOf(event);
    const { text, signature } = signedTextOfEntry(entry)!;
    expect(await verifySignature(signature, text, [publicKeyOf(keyOf(member)) as MemberKey])).toBe('valid');
    expect(entry.entry).not.toMatch(/虚构人|13800000000|"salt"/);
    expect(checked(entry.entry, keyOf(member))).toBe(`valid: ${event.source} sent ${event.id}\n`);
    expect(checked(entry.entry.replace('"active"', '"closed"'), keyOf(member))).toBe('NOT VALID\n');
    const path = `/v1/receipts/${encodeURIComponent(event.source)}/${event.id}`;
    const { body: proof } = await api.call(member, 'GET', path, { headers: { accept: 'application/json' } });
    expect(JSON.parse(proof.entry).data.signature).toBe(signature);
    const { body: opened } = await api.call(member, 'GET', `${path}/openings`);
    expect(opened.openings.map(({ pointer }: { pointer: string }) => pointer)).toContain('/identity/phones/0');
  },
);

test('a stream and a batch are signed event by event; what is decided on is signed too', async () => {
  const events = [report('platform-a'), report('platform-a')];
  const receipts = await client('platform-a').publish(events);
  for await (const receipt of client('platform-a').publishStream([report('platform-a')])) receipts.push(receipt);
  const listed = delisted('platform-a', 'm-case', organization(77)) as CloudEvent;
  const ended = ending('platform-a', 'liandun.merchant.reinstated.v1', {
    delistingId: listed.id,
    cause: 'wrongFinding',
  }) as CloudEvent;
  receipts.push(await client('platform-a').publish(listed), await client('platform-a').publish(ended));
  expect(receipts.map(({ status }) => status)).toEqual(Array.from(receipts, () => 'accepted'));
  for (const event of [...events, listed, ended]) expect(signedTextOfEntry(await entryOf(event))).toBeDefined();
});

test('signed anew or not at all, the same event is a duplicate and keeps its first signature', async () => {
  const event = report('platform-a');
  const first = await client('platform-a').publish(event);
  const { signature } = (await entryOf(event)).data as { signature: string };
  for (const sign of [true, false])
    expect(await client('platform-a', sign).publish(event)).toEqual({ ...first, status: 'duplicate' });
  expect(((await entryOf(event)).data as { signature: string }).signature).toBe(signature);
  const other = { ...event, data: { ...(event.data as object), status: 'closed' } };
  expect((await client('platform-a').publish(other)).problem?.code).toBe('EVENT_ID_REUSED');
});

test('what is altered, or signed with a key that is not the sender’s or is one no more, is refused at the field', async () => {
  const signed = await signEvent(report('platform-a'), keyOf('platform-a'));
  const altered = { ...signed, data: { ...(signed.data as object), merchantId: 'm-other' } };
  expect(refusal(await api.publish('platform-a', altered))).toEqual([422, 'SIGNATURE_INVALID', '/signature']);
  const foreign = await signEvent(report('platform-a'), keyOf('platform-b'));
  expect(refusal(await api.publish('platform-a', foreign))).toEqual([422, 'SIGNATURE_KEY_UNKNOWN', '/signature']);
  const second = ed25519('platform-a-2');
  await approved('/v1/members/platform-a/keys', { key: publicKeyOf(second) });
  expect((await api.publish('platform-a', await signEvent(report('platform-a'), second))).status).toBe(201);
  await approved('/v1/members/platform-a/keys/platform-a-2/revocation', {});
  const late = await signEvent(report('platform-a'), second);
  expect(refusal(await api.publish('platform-a', late))).toEqual([422, 'SIGNATURE_KEY_UNKNOWN', '/signature']);
  const [good, bad] = await api.stream('platform-a', [
    await signEvent(report('platform-a'), keyOf('platform-a')),
    late,
  ]);
  expect([good.status, bad.status, bad.problem.code]).toEqual(['accepted', 'rejected', 'SIGNATURE_KEY_UNKNOWN']);
  const { rows } = await api.pool.query('select 1 from log.entry where id = any($1)', [
    [signed.id, foreign.id, late.id],
  ]);
  expect(rows).toEqual([]);
});

test('two administrators make signatures required; then nothing of the member comes in without one', async () => {
  const path = '/v1/members/regulator-beijing/signatures';
  expect(refusal(await api.call('admin', 'POST', path, { body: { signatures: 'maybe' } }))).toEqual([
    422,
    'INVALID_VALUE',
    '/signatures',
  ]);
  const listed = (): CloudEvent => {
    serial += 1;
    return ending('regulator-beijing', 'liandun.registry.listed.v1', {
      list: 'seriousDishonest',
      identity: organization(serial),
      decisionNo: `虚构罚〔2026〕${serial}号`,
    }) as CloudEvent;
  };
  expect((await client('regulator-beijing', false).publish(listed())).status).toBe('accepted');
  await approved(path, { signatures: 'required' });
  const { body: members } = await api.call('admin', 'GET', '/v1/members');
  const policies = Object.fromEntries(
    members.items.map(({ memberId, signatures }: { memberId: string; signatures: string }) => [memberId, signatures]),
  );
  expect(policies).toMatchObject({ 'regulator-beijing': 'required', 'platform-a': 'optional' });
  const unsigned = await api.publish('regulator-beijing', listed());
  expect(refusal(unsigned)).toEqual([422, 'SIGNATURE_REQUIRED', '/signature']);
  expect((await client('regulator-beijing').publish(listed())).status).toBe('accepted');
  await approved(path, { signatures: 'optional' });
  expect((await api.publish('regulator-beijing', listed())).status).toBe(201);
});

test('after an erasure the signature stands, and neither entry nor openings tell whom it was about', async () => {
  const event = report('platform-a');
  const { residentId } = (event.data as { identity: { residentId: string } }).identity;
  const { position } = await client('platform-a').publish(event);
  const path = `/v1/receipts/${encodeURIComponent(event.source)}/${event.id}/openings`;
  expect((await api.call('platform-a', 'GET', path)).body.openings).not.toEqual([]);
  const before = await entryOf(event);
  const { body: requested } = await api.call('regulator-beijing', 'POST', '/v1/erasures', {
    body: { identifiers: { residentId }, basis: 'consentWithdrawn', requestId: 'r-sig' },
  });
  const decided = await api.call('admin', 'POST', `/v1/approvals/${requested.approvalId}`, {
    body: { decision: 'approve' },
  });
  expect([decided.status, decided.body.erased?.positions ?? decided.body]).toEqual([200, [position]]);
  expect((await api.call('platform-a', 'GET', path)).body.openings).toEqual([]);
  const after = await entryOf(event);
  expect(after.entry).toBe(before.entry);
  expect(checked(after.entry, keyOf('platform-a'))).toMatch(/^valid/);
  expect(await client('platform-a').publish(event)).toMatchObject({ status: 'duplicate', position });
});
