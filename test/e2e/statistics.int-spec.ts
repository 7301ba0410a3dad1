import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EVENT_TYPES, LEDGER_SOURCE, SUBMITTED_TYPES, toBeijingTime } from '@liandun/contracts';
import { quarterlyFigures, type QuarterFigures } from '@liandun/views';
import { createHash, randomUUID } from 'node:crypto';
import { SubjectSide } from '../support/subject.js';
import { delisted, ending, organization, reported } from '../support/submissions.js';

const FIRST = 8501;
const COUNT = 6;
const DAY_MS = 86_400_000;

let side: SubjectSide;
let ids: { caseId: string; listingId: string; stream: string }[];

beforeAll(async () => {
  side = await SubjectSide.start();
  const listed = [];
  for (let n = 0; n < COUNT + 2; n += 1) {
    const identity = organization(FIRST + n);
    await side.api.publish('platform-b', reported('platform-b', `m-${n}`, identity));
    const more = n < COUNT ? {} : { code: 'E01', urgency: 'fraud' };
    const event = delisted('platform-a', `m-${n}`, identity, more) as { id: string };
    const { body } = await side.api.publish('platform-a', event);
    const listingId = `L${body.position}-${Buffer.from(body.leafHash, 'base64').toString('hex', 0, 6)}`;
    const entry = await side.log.at(body.position);
    listed.push({ caseId: event.id, listingId, stream: entry!.stream });
  }
  ids = listed;
  await side.settled();
}, 120_000);
afterAll(() => side?.stop(), 60_000);

const say = async (type: string, stream: string, data: object): Promise<void> => {
  const id = randomUUID();
  const fingerprint = createHash('sha256').update(id).digest();
  const time = toBeijingTime(new Date());
  await side.log.append({ events: [{ id, source: LEDGER_SOURCE, type, time, stream, data, fingerprint }] });
};

/** The figures of the quarter that runs now, as they are once it has ended. */
async function figures(): Promise<QuarterFigures> {
  const [year, month] = toBeijingTime(new Date()).split('-').map(Number) as [number, number];
  const running = `${year}-Q${Math.ceil(month / 3)}`;
  // By the same role as the route: its rights are enough, and no wall hides a row from it.
  const client = await side.api.pool.connect();
  let shown: QuarterFigures[];
  try {
    await client.query('begin; set local role liandun_door');
    shown = await quarterlyFigures(client, new Date(Date.now() + 92 * DAY_MS));
  } finally {
    await client.query('rollback');
    client.release();
  }
  return shown.find(({ quarter }) => quarter === running) as QuarterFigures;
}

test('P20: statistics of each quarter count listings, endings, appeals and reopenings, few as «<5», and name nobody', async () => {
  // Each appeal took four days.
  const filedAt = toBeijingTime(new Date(Date.now() - 4 * DAY_MS));
  const now = toBeijingTime(new Date());
  for (const { caseId, listingId, stream } of ids.slice(0, 5)) {
    const about = { appealId: `A${randomUUID().replaceAll('-', '')}`, caseId, listingId };
    const filed = { ...about, grounds: 'wrongFinding', evidence: [], proved: 'code', filedAt };
    await say(EVENT_TYPES.appealFiled, stream, filed);
    const decided = {
      ...about,
      decision: 'overturned',
      cause: 'appealUpheld',
      by: 'regulator-beijing',
      decidedBy: 'r-1',
    };
    await say(EVENT_TYPES.appealDecided, stream, { ...decided, decidedAt: now });
  }
  const takenBack = { delistingId: ids[5]!.caseId, cause: 'wrongIdentity' };
  const { body } = await side.api.publish(
    'platform-a',
    ending('platform-a', SUBMITTED_TYPES.merchantReinstated, takenBack),
  );
  expect(body.status).toBe('accepted');
  await side.settled();
  const shown = await figures();
  expect(shown).toMatchObject({
    listed: [
      { code: 'F04', count: COUNT },
      { code: 'E01', count: '<5' },
    ],
    ended: [
      { status: 'overturned', cause: 'appealUpheld', count: 5 },
      { status: 'withdrawn', cause: 'wrongIdentity', count: '<5' },
    ],
    appeals: { decided: [{ decision: 'overturned', count: 5 }], medianDays: 4, stayed: 0 },
    reopenings: { asked: COUNT, made: 0 },
  });
  for (const name of ['platform-a', 'platform-b', 'regulator', ids[0]!.listingId])
    expect(JSON.stringify(shown)).not.toContain(name);
});

test('P20: to everybody, of quarters that have ended, and not asked of the database each time', async () => {
  const { status, body, headers } = await side.call('GET', '/public/statistics');
  expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=3600']);
  const quarters = body.quarters.map((one: QuarterFigures) => one.quarter);
  expect(quarters).toHaveLength(8);
  const running = (await figures()).quarter;
  expect(quarters).not.toContain(running);
  expect(quarters[0] < running).toBe(true);
  expect(quarters.toSorted().toReversed()).toEqual(quarters);
  expect(body.fewerThan).toBe(5);
  expect((await side.call('GET', '/public/statistics')).body).toEqual(body);
});
