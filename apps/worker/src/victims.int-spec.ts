import { LEDGER_SOURCE, memberSource, SUBMITTED_TYPES, type Receipt } from '@liandun/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { drawn } from '../../../test/support/drawn.js';
import { TestLedger } from '../../../test/support/ledger.js';
import {
  caseOf,
  delisted,
  ending,
  organization,
  person,
  reported,
  submission,
} from '../../../test/support/submissions.js';

let ledger: TestLedger;
let serial = drawn(1_000, 100_000);
let merchant = '';
/** How the impostor is reached: what it gave beside the stolen code. */
let contacts: { phones: string[]; bankAccounts: string[] };

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of ['platform-a', 'platform-b', 'platform-c']) await ledger.admit(member);
});
afterAll(() => ledger.stop());
beforeEach(() => {
  serial += 1;
  merchant = `m-${randomUUID()}`;
  contacts = {
    phones: [`139${String(10_000_000 + serial)}`],
    bankAccounts: [`6217000000${String(100_000 + serial)}00`],
  };
});

const owner = (more: object = {}): object => organization(serial, more);
const impostor = (more: object = {}): object => ({ kind: 'organization', name: '来路不明商行', ...contacts, ...more });
const listingOf = ({ position, leafHash }: { position?: number; leafHash?: string }): string =>
  `L${position}-${Buffer.from(leafHash ?? '', 'base64').toString('hex', 0, 6)}`;
const host = (member: string, identity: object, id = merchant): Promise<Receipt[]> =>
  ledger.submit(member, [reported(member, id, identity)]);
const stolen = (identity: object, victim: object | undefined, more: object = {}): object =>
  delisted('platform-a', merchant, identity, { code: 'A04', ...(victim && { victim: { identity: victim } }), ...more });
async function send(event: object): Promise<Receipt> {
  const [receipt] = await ledger.submit('platform-a', [event]);
  return receipt as Receipt;
}
const problem = ({ problem: refusal }: Receipt): unknown[] => {
  const [first] = refusal?.errors ?? [];
  return [first?.code, first?.pointer];
};
async function told(member: string, listingId: string): Promise<string[]> {
  const notices = await ledger.notices(member);
  return notices.filter((notice) => notice.listingId === listingId).map(({ action }) => action);
}

describe('P14: a stolen identity protects its owner', () => {
  test('P14: the victim gets V01 in the same transaction, and its shops are never closed', async () => {
    // The impostor's account was opened under the stolen code, with contacts of its own.
    await host('platform-a', owner(contacts));
    await host('platform-b', owner(), 'the-owner');
    await host('platform-c', owner(contacts), 'the-impostor-again');
    const receipt = await send(stolen(impostor(), owner()));
    expect(receipt).toMatchObject({ status: 'accepted', victim: { id: expect.stringMatching(/^V01-[0-9a-f]{32}$/) } });
    const { victim } = receipt as { victim: { position: number; leafHash: string } };
    expect(victim.position).toBe((receipt.position as number) + 1);
    const [filed, protective] = [await ledger.log.at(receipt.position as number), await ledger.log.at(victim.position)];
    expect([filed?.acceptedAt, filed?.data.victim]).toEqual([
      protective?.acceptedAt,
      { commitment: expect.any(String) },
    ]);
    expect(protective).toMatchObject({ type: SUBMITTED_TYPES.riskEntityReported, data: { reason: { code: 'V01' } } });
    for (const member of ['platform-b', 'platform-c']) {
      expect(await told(member, listingOf(receipt))).toEqual([]);
      expect(await told(member, listingOf(victim))).toEqual(['protect']);
    }
  });

  test('P14: the impostor is closed where it is known by something of its own, and the notice says that a victim is protected', async () => {
    const own = person(serial % 900, { phones: contacts.phones });
    await host('platform-b', own, 'by-its-own-number');
    const receipt = await send(stolen(own, owner()));
    expect(await told('platform-b', listingOf(receipt))).toEqual(['close']);
    const notice = (await ledger.notices('platform-b')).find(({ listingId }) => listingId === listingOf(receipt));
    expect(notice).toMatchObject({ victimProtected: true, reason: { code: 'A04' } });
    expect(JSON.stringify(notice)).not.toContain((owner() as { uscc: string }).uscc);
  });

  test('P14: A04 without V01 for a known victim is refused', async () => {
    await send(stolen(impostor(), owner()));
    const stream = `merchant/platform-b/${merchant}`;
    const again = delisted('platform-b', merchant, owner(), { code: 'A04' });
    const [refused] = await ledger.submit('platform-b', [again]);
    expect(problem(refused as Receipt)).toEqual(['VICTIM_MISSING', '/data/victim']);
    expect(await ledger.log.readStream(stream, { limit: 10 })).toEqual([]);
    const [withVictim] = await ledger.submit('platform-b', [
      delisted('platform-b', merchant, impostor(), { code: 'A04', victim: { identity: owner() } }),
    ]);
    expect(withVictim?.status).toBe('accepted');
    const other = await ledger.submit('platform-b', [delisted('platform-b', merchant, owner(), { code: 'A02' })]);
    expect(other[0]?.status).toBe('held');
  });

  test('P14: the case holds none of the victim’s identifiers, and the victim has one', async () => {
    expect(problem(await send(stolen(impostor({ uscc: (owner() as { uscc: string }).uscc }), owner())))).toEqual([
      'VICTIM_IDENTIFIER',
      '/data/identity/uscc',
    ]);
    const nameless = { kind: 'organization', name: '被冒用的公司' };
    expect(problem(await send(stolen(impostor(), nameless)))).toEqual([
      'VICTIM_NOT_IDENTIFIED',
      '/data/victim/identity/uscc',
    ]);
    const cheap = delisted('platform-a', merchant, impostor(), { victim: { identity: owner() } });
    expect(problem(await send(cheap))).toEqual(['FIELD_NOT_APPLICABLE', '/data/victim']);
  });

  test('P14: the same filing again has the same receipt and stores nothing; with another victim it is refused', async () => {
    const event = stolen(impostor(), owner());
    const first = await send(event);
    const head = await ledger.log.head();
    expect(await send(event)).toEqual({ ...first, status: 'duplicate' });
    const { data, ...envelope } = event as { data: object };
    const changed = { ...envelope, data: { ...data, victim: { identity: organization(serial + 500_000) } } };
    expect(problem(await send(changed))).toEqual(['EVENT_ID_REUSED', '/id']);
    expect(await ledger.log.head()).toBe(head);
  });

  test('P14: a risk entity may have a victim too; a person’s identity is nowhere in the clear', async () => {
    const victim = person((serial % 900) + 1, { name: '受害人' }) as { residentId: string };
    const data = {
      subject: 'streamer',
      identity: impostor({ kind: 'person', name: '冒名者' }),
      accounts: [],
      ...caseOf('A04'),
    };
    const event = submission('platform-a', SUBMITTED_TYPES.riskEntityReported, {
      ...data,
      victim: { identity: victim },
    });
    const receipt = await send(event);
    expect([receipt.status, receipt.victim?.id]).toEqual(['accepted', expect.any(String)]);
    const { rows } = await ledger.pool.query('select entry::text from log.entry where source <> $1', [LEDGER_SOURCE]);
    const text = rows.map(({ entry }) => entry).join('\n');
    expect(text).not.toContain(victim.residentId);
    expect(text).not.toContain('受害人');
    expect(text).toContain(memberSource('platform-a'));
  });

  test('P14: what ends the case leaves the protection, which its reporter withdraws by its own id', async () => {
    await host('platform-b', owner(), 'the-owner');
    const event = stolen(impostor(), owner()) as { id: string };
    const receipt = await send(event);
    await send(
      ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { delistingId: event.id, cause: 'wrongFinding' }),
    );
    const { victim } = receipt as { victim: { id: string; position: number; leafHash: string } };
    expect(await told('platform-b', listingOf(victim))).toEqual(['protect']);
    const withdrawn = { reportId: victim.id, cause: 'wrongFinding' };
    expect((await send(ending('platform-a', SUBMITTED_TYPES.riskEntityWithdrawn, withdrawn))).status).toBe('accepted');
    expect(await told('platform-b', listingOf(victim))).toEqual(['protect', 'reopen']);
  });
});
