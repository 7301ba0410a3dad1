import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, SUBMITTED_TYPES, type Receipt, type SubjectErased } from '@liandun/contracts';
import { EventLog, rebuildProjection } from '@liandun/event-log';
import { ERASURE_RIDER, erasureRider } from '@liandun/vault';
import { ledgerProjection } from '@liandun/views';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { drawn } from '../../../test/support/drawn.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, ending, organization, person, reported } from '../../../test/support/submissions.js';
import { Retention, type Deleted } from './retention.js';

const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;
let ledger: TestLedger;
/** As the worker has it. */
let log: EventLog;
let serial = drawn(1, 130);
let merchant = '';

beforeAll(async () => {
  ledger = await TestLedger.start();
  log = new EventLog({ pool: ledger.pool, riders: { [ERASURE_RIDER]: erasureRider } });
  for (const member of ['platform-a', 'platform-b']) await ledger.admit(member);
});
afterAll(async () => {
  await log.close();
  await ledger.stop();
});
beforeEach(() => {
  serial += 1;
  merchant = `m-${randomUUID()}`;
});

const positionOf = ([receipt]: Receipt[]): number => receipt?.position ?? -1;
const delist = async (identity: object): Promise<number> =>
  positionOf(await ledger.submit('platform-a', [delisted('platform-a', merchant, identity, { id: `d-${merchant}` })]));
const reinstate = (): Promise<Receipt[]> =>
  ledger.submit('platform-a', [
    ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { delistingId: `d-${merchant}`, cause: 'cured' }),
  ]);

/** What the vault has of an entry: sealed values, keys, tokens. */
async function kept(position: number): Promise<string[]> {
  const { rows } = await ledger.pool.query<{ what: string }>(
    `select 'record' as what from vault.record where position = $1 union all
     select 'data_key' from vault.data_key where position = $1 union all
     select 'token ' || kind from vault.token where position = $1 union all
     select 'person_token ' || kind from vault.person_token where position = $1 order by 1`,
    [position],
  );
  return rows.map(({ what }) => what);
}
async function run(aheadMs: number): Promise<Deleted> {
  const retention = new Retention({ pool: ledger.pool, log, now: async () => new Date(Date.now() + aheadMs) });
  const deleted = await retention.tick();
  await ledger.settled();
  return deleted;
}
const erasures = async (): Promise<SubjectErased[]> =>
  (await ledger.log.read({ after: -1, limit: 10_000, types: [EVENT_TYPES.subjectErased] })).map(
    ({ data }) => data as SubjectErased,
  );
const nothing = { endedCases: 0, closedAccounts: 0, deadLetters: 0 };

describe('P20: what was kept its term is deleted, by a clock that is set', () => {
  test('P20: a case keeps its values three years after it ended, then they are gone and the receiver is told to redact', async () => {
    await ledger.submit('platform-b', [reported('platform-b', merchant, person(serial))]);
    const position = await delist(person(serial));
    expect(await kept(position)).toEqual(expect.arrayContaining(['data_key', 'record', 'token residentId']));
    // However long it stands: only the end begins the three years.
    expect(await run(9 * YEAR_MS)).toEqual(nothing);
    await reinstate();
    expect(await run(2.9 * YEAR_MS)).toEqual(nothing);
    expect(await kept(position)).toContain('record');
    expect(await run(3.1 * YEAR_MS)).toEqual({ ...nothing, endedCases: 1 });
    expect(await kept(position)).toEqual([]);
    expect((await erasures()).at(-1)).toMatchObject({ basis: 'retentionEnded', positions: [position] });
    // The log stands, and so does what platform-b reported itself.
    expect((await ledger.log.at(position))?.type).toBe(SUBMITTED_TYPES.merchantDelisted);
    expect(await run(3.1 * YEAR_MS)).toEqual(nothing);
    expect(await erasures()).toHaveLength(1);
  });

  test('P20: of an organization its public numbers stay', async () => {
    const legalRepresentative = { name: '虚构人', residentId: (person(serial) as { residentId: string }).residentId };
    const position = await delist(organization(serial, { legalRepresentative, phones: ['13800000000'] }));
    await reinstate();
    expect(await run(3.1 * YEAR_MS)).toEqual({ ...nothing, endedCases: 1 });
    expect(await kept(position)).toEqual(['token uscc']);
  });

  test('P20: an account that its platform closed is forgotten three years later, an open one and one with a standing case are not', async () => {
    const [closed, open, listed] = [1, 2, 3].map((n) => ({
      merchantId: `${merchant}-${n}`,
      identity: person(500 + 3 * serial + n),
    }));
    const report = async (one: typeof closed, status = 'active'): Promise<number> =>
      positionOf(
        await ledger.submit('platform-a', [reported('platform-a', one!.merchantId, one!.identity, { status })]),
      );
    const positions = [await report(closed), await report(open), await report(listed), await report(closed, 'closed')];
    merchant = listed!.merchantId;
    await delist(listed!.identity);
    expect(await run(2.9 * YEAR_MS)).toEqual(nothing);
    expect(await run(3.1 * YEAR_MS)).toEqual({ ...nothing, closedAccounts: 2 });
    const left = await Promise.all(positions.map(async (position) => (await kept(position)).length > 0));
    expect(left).toEqual([false, true, true, false]);
  });

  test('P20: what could not be delivered is logged six months', async () => {
    const owner = new pg.Client(ledger.url);
    await owner.connect();
    await owner.query("insert into webhook.endpoint (member, url) values ('platform-b', 'https://b.example/')");
    await owner.query(
      `insert into webhook.dead_letter (member, webhook_id, kind, seq, attempts) select 'platform-b', n::text, 'notice', n, 9 from generate_series(1, 450) n`,
    );
    await owner.end();
    expect((await run(180 * DAY_MS)).deadLetters).toBe(0);
    expect((await run(185 * DAY_MS)).deadLetters).toBe(450);
  });

  test('P20: a rebuild from the log gives the same views after it (I5)', async () => {
    const owner = new pg.Pool({ connectionString: ledger.url, max: 2 });
    owner.on('error', () => undefined);
    const rows = async (): Promise<unknown[]> =>
      Promise.all(
        ['entity', 'observation', 'listing', 'hosting', 'notice'].map(
          async (table) => (await owner.query(`select t::text from view.${table} t order by 1`)).rows as unknown,
        ),
      );
    const live = await rows();
    expect(JSON.stringify(live)).toContain('*');
    await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
    expect(await rows()).toEqual(live);
    await owner.end();
  });
});
