import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  SUBMITTED_TYPES,
  type EntityMerged,
  type EntitySplit,
  type Link,
  type NoticeIssued,
  type Receipt,
} from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { followMembers, unsentNotices } from '@liandun/messaging';
import { ledgerProjection } from '@liandun/views';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { drawn } from '../../../../test/support/drawn.js';
import { TestLedger } from '../../../../test/support/ledger.js';
import { delisted, ending, organization, reported, shopOf } from '../../../../test/support/submissions.js';

const BACKLOG = 400;
let ledger: TestLedger;
let serial = drawn(1_000, 100_000);
let merchant = '';

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of ['platform-a', 'platform-b', 'platform-c']) await ledger.admit(member);
});
afterAll(() => ledger.stop());
beforeEach(() => {
  serial += BACKLOG + 1;
  merchant = `m-${randomUUID()}`;
});
afterEach(() => ledger.letDelistingsGo());

type Placed = NoticeIssued & { position: number };

async function notices(member: string): Promise<Placed[]> {
  const events = await ledger.log.readStream(`notices/${member}`, { limit: 10_000 });
  expect(events.map(({ data }) => data.seq)).toEqual(events.map((_, n) => n));
  return events.map(({ data, position }) => ({ ...(data as NoticeIssued), position }));
}
async function told(member: string, listingId: string): Promise<string[]> {
  return (await notices(member)).filter((notice) => notice.listingId === listingId).map(({ action }) => action);
}

const accepted = (receipts: Receipt[]): Receipt[] => {
  expect(receipts.map(({ status, problem }) => problem ?? status)).toEqual(receipts.map(() => 'accepted'));
  return receipts;
};
const listingOf = ({ position, leafHash }: Receipt): string =>
  `L${position}-${Buffer.from(leafHash ?? '', 'base64').toString('hex', 0, 6)}`;

interface Delisting {
  id: string;
  by: string;
  listing: string;
  position: number;
}

async function delist(by = 'platform-a', identity = organization(serial)): Promise<Delisting> {
  const id = randomUUID();
  const [receipt] = accepted(await ledger.submit(by, [delisted(by, merchant, identity, { id })]));
  return { id, by, listing: listingOf(receipt as Receipt), position: receipt?.position ?? -1 };
}
async function reinstate({ id, by }: Delisting): Promise<void> {
  const data = { delistingId: id, cause: 'wrongFinding' };
  accepted(await ledger.submit(by, [ending(by, SUBMITTED_TYPES.merchantReinstated, data)]));
}
const report = async (member: string, identity = organization(serial), more: object = {}): Promise<void> =>
  void accepted(await ledger.submit(member, [reported(member, merchant, identity, more)]));

/** Delistings that nobody was told of yet. */
async function backlog(): Promise<number[]> {
  ledger.holdDelistings();
  const raws = Array.from({ length: BACKLOG }, (_, n) =>
    delisted('platform-a', `${merchant}-${n}`, organization(serial + 1 + n)),
  );
  return accepted(await ledger.submit('platform-a', raws)).map(({ position }) => position as number);
}

describe('with a backlog of delistings', () => {
  test('P09: a reinstatement is told before every delisting of the backlog that was accepted before it', async () => {
    await report('platform-b');
    const first = await delist();
    const waiting = await backlog();
    const before = (await notices('platform-b')).length;
    await reinstate(first);
    expect((await notices('platform-b')).slice(before).map(({ action, listingId }) => [action, listingId])).toEqual([
      ['reopen', first.listing],
    ]);
    expect(await told('platform-c', first.listing)).toEqual(['restrictAdmission', 'lift']);
    await ledger.letDelistingsGo();
    const all = await notices('platform-b');
    const back = all[before] as Placed;
    const later = all.slice(before + 1);
    expect(later.map(({ action }) => action)).toEqual(waiting.map(() => 'restrictAdmission'));
    expect(Math.min(...later.map(({ position }) => position))).toBeGreaterThan(back.position);
    expect(Math.max(...waiting)).toBeLessThan(back.position);
  });

  test('P09: what ended before anybody was told is never told, so that no older delisting overtakes its end', async () => {
    await report('platform-b');
    ledger.holdDelistings();
    const listing = await delist();
    await backlog();
    await reinstate(listing);
    await ledger.letDelistingsGo();
    expect(await told('platform-b', listing.listing)).toEqual([]);
    expect(await told('platform-c', listing.listing)).toEqual([]);
  });

  test('P09: many reinstatements at once come in the order of the log, each once', async () => {
    const listings: Delisting[] = [];
    for (let n = 0; n < 5; n += 1) {
      merchant = `m-${randomUUID()}`;
      listings.push(await delist('platform-a', organization(serial + 500_000 + n)));
    }
    await backlog();
    for (const one of listings.toReversed()) await reinstate(one);
    const lifts = (await notices('platform-c')).filter(({ action }) => action === 'lift').slice(-5);
    expect(lifts.map(({ listingId }) => listingId)).toEqual(listings.toReversed().map(({ listing }) => listing));
  });

  test('of two listings on one merchant, the one that waits says so when it is told', async () => {
    await report('platform-b');
    const first = await delist('platform-a');
    ledger.holdDelistings();
    const second = await delist('platform-c');
    await reinstate(first);
    const reopen = (await notices('platform-b')).findLast(({ listingId }) => listingId === first.listing);
    expect(reopen).toMatchObject({ action: 'reopen', stillListed: false });
    await ledger.letDelistingsGo();
    expect(await told('platform-b', second.listing)).toEqual(['close']);
    expect(await told('platform-b', first.listing)).toEqual(['close', 'reopen']);
  });

  test('of two listings on one merchant, the one that never was told leaves the other as it is', async () => {
    await report('platform-b');
    const first = await delist('platform-a');
    ledger.holdDelistings();
    const second = await delist('platform-c');
    await reinstate(second);
    await ledger.letDelistingsGo();
    expect(await told('platform-b', first.listing)).toEqual(['close']);
    expect(await told('platform-b', second.listing)).toEqual([]);
  });

  test('a merchant that is reported while the delisting waits is told of it once', async () => {
    ledger.holdDelistings();
    const listing = await delist();
    await report('platform-b', organization(serial), { shops: [shopOf(`${merchant}-x`)] });
    await ledger.letDelistingsGo();
    expect(await told('platform-b', listing.listing)).toEqual(['close']);
    expect(await told('platform-c', listing.listing)).toEqual(['restrictAdmission']);
  });

  test('a merchant that is reported before the listing ends is told of neither', async () => {
    const listing = await delist();
    ledger.holdDelistings();
    await report('platform-b');
    await reinstate(listing);
    await ledger.letDelistingsGo();
    expect(await told('platform-b', listing.listing)).toEqual(['restrictAdmission', 'lift']);
  });

  test('a member that joins meanwhile gets what stands then, once', async () => {
    const stands = await delist();
    merchant = `m-${randomUUID()}`;
    serial += 1;
    const ends = await delist();
    ledger.holdDelistings();
    const joins = `platform-${randomUUID().slice(0, 8)}`;
    await ledger.admit(joins);
    merchant = `m-${randomUUID()}`;
    serial += 1;
    const after = await delist();
    await reinstate(ends);
    await ledger.letDelistingsGo();
    expect(await told(joins, stands.listing)).toEqual(['restrictAdmission']);
    expect(await told(joins, ends.listing)).toEqual([]);
    expect(await told(joins, after.listing)).toEqual(['restrictAdmission']);
    await ledger.membership(EVENT_TYPES.memberRemoved, { memberId: joins });
  });

  test('what ended while a member was suspended is told as soon as it is back', async () => {
    await report('platform-b');
    const listing = await delist();
    await ledger.membership(EVENT_TYPES.memberSuspended, { memberId: 'platform-b' });
    await ledger.settled();
    await backlog();
    await reinstate(listing);
    expect(await told('platform-b', listing.listing)).toEqual(['close']);
    const before = (await notices('platform-b')).length;
    await ledger.membership(EVENT_TYPES.memberResumed, { memberId: 'platform-b' });
    await ledger.settled();
    const since = (await notices('platform-b')).slice(before);
    expect(since.map(({ action, listingId }) => [action, listingId])).toEqual([['reopen', listing.listing]]);
  });

  test('P09: a correction does not wait either', async () => {
    const observation = async (position: number): Promise<{ position: number; entityId: string }> => {
      const { rows } = await ledger.pool.query('select entity_id from view.observation where position = $1', [
        position,
      ]);
      return { position, entityId: rows[0].entity_id };
    };
    const [raw] = [reported('platform-b', merchant, { kind: 'organization', name: '虚构·云栖贸易' })];
    const [receipt] = accepted(await ledger.submit('platform-b', [raw]));
    const hosted = await observation(receipt?.position ?? -1);
    const listing = await delist();
    const about = await observation(listing.position);
    const link = (entityId: string, because: Link['because']): Link => {
      const same = {
        sameAs: hosted.position,
        strongAs: entityId === about.entityId ? about.position : hosted.position,
      };
      return { observation: hosted.position, entityId, because, ...same };
    };
    const regroup = async (type: string, data: Partial<EntityMerged & EntitySplit>): Promise<void> => {
      const id = randomUUID();
      const fingerprint = createHash('sha256').update(id).digest();
      const stream = `entity/${data.entityId}`;
      const whole = { ...data, matcher: 'test', cause: 0 };
      const event = {
        id,
        source: LEDGER_SOURCE,
        type,
        time: new Date().toISOString(),
        stream,
        data: whole,
        fingerprint,
      };
      await ledger.log.append({ events: [event] });
      await ledger.settled();
    };
    await regroup(EVENT_TYPES.entityMerged, {
      entityId: about.entityId,
      retired: [hosted.entityId],
      links: [link(about.entityId, [{ field: 'phone', grade: 'strong' }])],
    });
    expect(await told('platform-b', listing.listing)).toEqual(['restrictAdmission', 'close']);
    await backlog();
    const before = (await notices('platform-b')).length;
    await regroup(EVENT_TYPES.entitySplit, {
      entityId: about.entityId,
      into: [hosted.entityId],
      links: [link(hosted.entityId, [])],
    });
    const since = (await notices('platform-b')).slice(before);
    expect(since.map(({ action, listingId }) => [action, listingId])).toEqual([
      ['correct', listing.listing],
      ['restrictAdmission', listing.listing],
    ]);
  });
});

test('I5: rebuilt while delistings wait, the view is the live one, and they are told afterwards', async () => {
  const ended = await delist();
  const waiting = await backlog();
  await reinstate(ended);
  const owner = new pg.Pool({ connectionString: ledger.url, max: 2, ...({ pipeline: true } as object) });
  const dump = async (): Promise<Record<string, unknown[]>> => {
    const { rows } = await owner.query<{ name: string }>(
      "select 'view.' || table_name as name from information_schema.tables where table_schema = 'view' order by 1",
    );
    const tables: Record<string, unknown[]> = {};
    for (const { name } of rows) tables[name] = (await owner.query(`select t::text from ${name} t order by 1`)).rows;
    return tables;
  };
  const live = await dump();
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
  expect(await dump()).toEqual(live);
  const before = (await notices('platform-b')).length;
  await ledger.letDelistingsGo();
  expect((await notices('platform-b')).length - before).toBe(waiting.length);
  const after = await dump();
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
  expect(await dump()).toEqual(after);
  await owner.end();
});

test('too much is unsent when most members wait, not when one member’s topic is broken', async () => {
  await followMembers(ledger.pool, ['platform-a', 'platform-b', 'platform-c']);
  await delist();
  const behind = async (lags: Record<string, number>): Promise<number> => {
    for (const [member, lag] of Object.entries(lags)) {
      await ledger.pool.query(
        `update relay.cursor set next_seq = coalesce((select version + 1 from log.stream where stream = $1), 0) - $2 where member = $3`,
        [`notices/${member}`, lag, member],
      );
    }
    return unsentNotices(ledger.pool, 100);
  };
  expect(await behind({ 'platform-a': 0, 'platform-b': 0, 'platform-c': 0 })).toBe(0);
  expect(await behind({ 'platform-b': 30 })).toBe(30);
  expect(await behind({ 'platform-b': 400 })).toBe(50);
  expect(await behind({ 'platform-c': 400 })).toBe(100);
});
