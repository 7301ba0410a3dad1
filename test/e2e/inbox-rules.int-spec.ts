import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { SUBMITTED_TYPES, type CloudEvent, type Receipt } from '@liandun/contracts';
import { InboxPublisher } from '@liandun/sdk';
import { env } from '../support/kafka.js';
import { awayFromMidnight } from '../support/midnight.js';
import { Product } from '../support/product.js';
import { caseOf, delisted, organization, reported, submission } from '../support/submissions.js';

// Rules that the door keeps, kept by its other door too: what is filed through Kafka is told apart by nothing.

const FILER = 'inboxrules-filer';
const HOST = 'inboxrules-host';
const REGULATOR = 'inboxrules-regulator';
const PER_HOUR = 4;
const WHY = { purpose: 'supervision', caseNo: '2026-31' };

let product: Product;
let inbox: InboxPublisher;
let serial = 31_000;

beforeAll(async () => {
  product = await Product.start([
    { memberId: FILER, role: 'platform' },
    { memberId: HOST, role: 'platform' },
    { memberId: REGULATOR, role: 'regulator' },
  ]);
  inbox = await new InboxPublisher({ client: product.client(FILER), brokers: env('KAFKA_BROKERS') }).open();
});
afterAll(async () => {
  await inbox?.close();
  await product?.stop();
});
beforeEach(() => awayFromMidnight()); // cases are counted by the day

async function limit(subjectsPerHour: number): Promise<void> {
  const limits = { timesMean: 1_000_000, subjectsPerHour };
  const path = `/v1/members/${FILER}/limits`;
  const { approvalId } = await product.client('admin-1').post<{ approvalId: string }>(path, { limits });
  await product.client('admin-2').post(`/v1/approvals/${approvalId}`, { decision: 'approve' });
}

const statuses = (receipts: Receipt[]): string[] =>
  receipts.map(({ status, heldBecause, problem }) =>
    [status, heldBecause, problem?.errors?.[0]?.code].filter(Boolean).join(' '),
  );

/** Filings against as many merchants that HOST has on its platform. */
async function filings(count: number): Promise<{ merchant: string; event: CloudEvent }[]> {
  const made = Array.from({ length: count }, () => {
    serial += 1;
    const merchant = `host-${serial}`;
    const identity = organization(serial);
    const hosting = reported(HOST, merchant, identity) as CloudEvent;
    return { merchant, hosting, event: delisted(FILER, `m-${serial}`, identity) as CloudEvent };
  });
  await product.client(HOST).publish(made.map(({ hosting }) => hosting));
  await product.settled();
  return made;
}

/** Which of the merchants HOST was asked to close. */
async function closed(made: { merchant: string }[]): Promise<string[]> {
  await product.settled();
  const { items } = await product.client(HOST).notices(-1, 1_000);
  const shops = items.filter(({ data }) => data.action === 'close').flatMap(({ data }) => data.shops);
  const told = new Set(shops.map(({ shopId }) => shopId));
  return made.map(({ merchant }) => merchant).filter((merchant) => told.has(`${merchant}-s1`));
}

test('P21: a flood filed through the Kafka inbox is held within one event of the limit, with what comes by HTTP, until a second person decides', async () => {
  await limit(PER_HOUR);
  const made = await filings(PER_HOUR + 4);
  const merchants = made.map(({ merchant }) => merchant);
  const byKafka = made.slice(0, -1).map(({ event }) => event);
  const held = 'held flood';
  expect(statuses(await inbox.publish(byKafka))).toEqual([
    ...Array.from({ length: PER_HOUR }, () => 'accepted'),
    held,
    held,
    held,
  ]);
  // The count is one over both doors, and a repetition counts for nothing.
  expect(statuses([await product.client(FILER).publish(made.at(-1)!.event)])).toEqual([held]);
  expect(statuses(await inbox.publish([made.at(-1)!.event]))).toEqual(['duplicate']);
  expect(await closed(made)).toEqual(merchants.slice(0, PER_HOUR));

  const decide = async (who: string, decision: string): Promise<unknown> => {
    const client = product.client(who);
    const why = who === REGULATOR ? WHY : undefined;
    await product.settled();
    const { items } = await client.get<{ items: { memberId: string; cases: number; upTo: number }[] }>(
      '/v1/floods',
      why,
    );
    const flood = items.find(({ memberId }) => memberId === FILER)!;
    return client.post(`/v1/floods/${FILER}/decision`, { decision, upTo: flood.upTo }, why);
  };
  const own = product.client(FILER).post(`/v1/floods/${FILER}/decision`, { decision: 'release', upTo: 1 });
  await expect(own).rejects.toMatchObject({ status: 403 });
  expect(await decide('admin-1', 'release')).toMatchObject({ decision: 'release', cases: 4 });
  expect(await closed(made)).toEqual(merchants);

  // The next flood is refused: nobody ever hears of it.
  const more = await filings(2);
  expect(statuses(await inbox.publish(more.map(({ event }) => event)))).toEqual([held, held]);
  expect(await decide(REGULATOR, 'refuse')).toMatchObject({ decision: 'refuse', cases: 2 });
  expect(await closed(more)).toEqual([]);
});

test('P12: what is filed on a decision that the register has taken back is refused by HTTP and through the Kafka inbox', async () => {
  await limit(1_000_000);
  serial += 1;
  const [decisionNo, identity] = [`列严〔2026〕${serial}号`, organization(serial)];
  const entry = { list: 'seriousDishonest', identity, decidedAt: new Date(Date.now() - 60_000).toISOString() };
  const listed = { ...entry, decisionNo, decidedBy: 'office-1' };
  const regulator = product.client(REGULATOR);
  await regulator.publish(submission(REGULATOR, SUBMITTED_TYPES.registryListed, listed) as CloudEvent);
  const file = (merchantId: string): CloudEvent => {
    const { proof, ...rest } = caseOf('A06') as { proof: object };
    const more = { ...rest, proof: { ...proof, standard: 'registerPush', decisionNo } };
    return delisted(FILER, merchantId, identity, { code: 'A06', ...more }) as CloudEvent;
  };
  await regulator.publish(submission(REGULATOR, SUBMITTED_TYPES.registryRemoved, entry) as CloudEvent);
  await product.settled();
  const refused = ['rejected DECISION_ENDED'];
  expect(statuses(await inbox.publish([file('kafka')]))).toEqual(refused);
  expect(statuses([await product.client(FILER).publish(file('http'))])).toEqual(refused);
  const { would } = await product.client(FILER).preview<{ would: string }>(file('preview'));
  expect(would).toBe('rejected');
});
