import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reasonCodes, SUBMITTED_TYPES } from '@liandun/contracts';
import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { TestApi, type TestMember } from '../../../test/support/api.js';
import { codeExample, examples } from '../../../test/support/examples.js';

let api: TestApi;
const now = new Date();
const of = (code: string, kind: 'organization' | 'streamer') =>
  codeExample(reasonCodes().codes.get(code)!, kind, { now, standard: 'platformFinding' });
const CASES = { 'a delisting': of('E01', 'organization'), 'a risk entity': of('E01', 'streamer') };
const registered = examples(now)[SUBMITTED_TYPES.registryListed];

beforeAll(async () => {
  api = await TestApi.start();
  for (const { memberId, event } of [...Object.values(CASES), registered])
    await api.publish(memberId as TestMember, event);
});
afterAll(() => api.stop());

interface Entry {
  data: Record<string, any>;
  id: string;
}
type Change = (data: Record<string, any>) => void;

/** What rule P02 asks of an entry, how it is left out, and where that is named. */
const PARTS: [part: string, change: Change, pointer: string][] = [
  ['reason code', (data) => delete data['reason'].code, '/data/reason/code'],
  ['reason', (data) => delete data['reason'], '/data/reason'],
  ['legal basis (a code without one)', (data) => (data['reason'].code = 'E99'), '/data/reason/code'],
  ['legal basis (platform rules)', (data) => (data['reason'].code = 'X01'), '/data/reason/code'],
  ['evidence hash', (data) => delete data['proof'].evidence[0].sha256, '/data/proof/evidence/0/sha256'],
  ['evidence hash (none at all)', (data) => (data['proof'].evidence = []), '/data/proof/evidence'],
  [
    'evidence hash (of a second piece)',
    (data) => data['proof'].evidence.push({ ...data['proof'].evidence[0], sha256: 'x' }),
    '/data/proof/evidence/1/sha256',
  ],
  ['decision date', (data) => delete data['decidedAt'], '/data/decidedAt'],
  ['decider', (data) => delete data['decidedBy'], '/data/decidedBy'],
  ['decider (an empty id)', (data) => (data['decidedBy'] = ''), '/data/decidedBy'],
  ['appeal address', (data) => delete data['appealUrl'], '/data/appealUrl'],
  ['appeal address (none that can be opened)', (data) => (data['appealUrl'] = 'mailto:a@b.example'), '/data/appealUrl'],
  ['expiry (none that is a time)', (data) => (data['expiresAt'] = ''), '/data/expiresAt'],
];

const changed = <T extends { data: unknown }>(event: T, change: Change): T => {
  const altered = structuredClone(event);
  change(altered.data as Record<string, any>);
  return altered;
};

const count = async (): Promise<number> => (await api.pool.query('select from log.entry')).rowCount ?? 0;

/** Inserts a copy of the entry with `change` done to its data, as whoever owns the database; what the database says. */
async function inserted(id: string, change: Change, more: Record<string, string> = {}): Promise<string> {
  const client = await api.pool.connect();
  try {
    await client.query('begin');
    return await copy(client, id, change, more);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

async function copy(
  client: ClientBase,
  id: string,
  change: Change,
  more: Record<string, string>,
  n = 0,
): Promise<string> {
  const { rows } = await client.query('select * from log.entry where id = $1', [id]);
  const row = { ...rows[0], ...more };
  const entry = JSON.stringify(changed(JSON.parse(row.entry) as Entry, change));
  try {
    await client.query(
      `insert into log.entry (position, id, source, type, stream, version, time, accepted_at, entry, leaf_hash)
       values ($7, $1, $2, $3, $4, 1000000, $5, now(), $6, '')`,
      [`${id}-copy-${n}`, row.source, row.type, row.stream, row.time, entry, 1_000_000 + n],
    );
    return 'stored';
  } catch (error) {
    const { code, constraint } = error as { code: string; constraint: string };
    return `${code} ${constraint}`;
  }
}

describe.each(Object.entries(CASES))('P02: complete or none: %s', (_, { memberId, event }) => {
  test.each(PARTS)(
    'P02: without its %s the API refuses it, naming the place, and stores nothing',
    async (_part, change, pointer) => {
      const before = await count();
      const { status, body } = await api.publish(memberId as TestMember, {
        ...changed(event, change),
        id: randomUUID(),
      });
      expect(status).toBe(422);
      expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([pointer]);
      expect(await count()).toBe(before);
    },
  );

  test.each(PARTS)('P02: without its %s the database refuses it, whoever writes it', async (_part, change) => {
    expect(await inserted(event.id, change)).toBe('23514 complete_case');
  });

  test('P02: complete the database takes it, so that each of the others is refused for its part', async () => {
    expect(await inserted(event.id, () => undefined)).toBe('stored');
  });

  test('P02: without an end of its own it has its code’s, and no code is without', async () => {
    expect(event.data['expiresAt']).toBeUndefined();
    const { rows } = await api.pool.query<{ code: string }>(
      'select code from log.reason_code where term_days > 0 order by code',
    );
    const shareable = [...reasonCodes().codes.values()].filter(({ area }) => area !== 'platformRules');
    expect(rows.map(({ code }) => code)).toEqual(shareable.map(({ code }) => code).toSorted());
    for (const column of ['legal_basis', 'term_days'])
      await expect(
        api.pool.query(`update log.reason_code set ${column} = ${column === 'term_days' ? '0' : `'{}'`}`),
      ).rejects.toThrow('check');
  });
});

describe('P02: complete or none: a register’s entry', () => {
  test.each(['list', 'decisionNo', 'decidedAt', 'decidedBy'])(
    'P02: without %s the API refuses it, and the database',
    async (field) => {
      const change: Change = (data) => delete data[field];
      const { status, body } = await api.publish('regulator-beijing', {
        ...changed(registered.event, change),
        id: randomUUID(),
      });
      expect([status, body.errors[0].pointer]).toEqual([422, `/data/${field}`]);
      expect(await inserted(registered.event.id, change)).toBe('23514 complete_entry');
      expect(await inserted(registered.event.id, () => undefined)).toBe('stored');
    },
  );
});

describe('a decision on a notice in the database', () => {
  const T = SUBMITTED_TYPES.noticeDisposed;
  const closed = {
    noticeId: 'platform-b.0',
    decision: 'closed',
    shops: [],
    decidedAt: now.toISOString(),
    decidedBy: 'staff-1',
    openOrders: 'kept',
  };
  const own = { type: T, source: 'urn:liandun:member:platform-b', stream: 'notice/platform-b.0' };
  const become =
    (more: Record<string, unknown> = {}): Change =>
    (data) => {
      for (const key of Object.keys(data)) delete data[key];
      Object.assign(data, closed, more);
    };
  const { id } = CASES['a delisting'].event;

  test('P01: only the receiver itself can have closed: not the ledger, not another member, not nobody', async () => {
    expect(await inserted(id, become(), own)).toBe('stored');
    for (const source of ['urn:liandun:ledger', 'urn:liandun:member:platform-a'])
      expect(await inserted(id, become(), { ...own, source })).toBe('23514 complete_entry');
    expect(await inserted(id, become(), { ...own, stream: 'notice/platform-b.1' })).toBe('23514 complete_entry');
    for (const decidedBy of [undefined, ''])
      expect(await inserted(id, become({ decidedBy }), own)).toBe('23514 complete_entry');
  });

  test('P22: none has closed without saying what becomes of open orders', async () => {
    for (const openOrders of [undefined, '', 'cancelled'])
      expect(await inserted(id, become({ openOrders }), own)).toBe('23514 complete_entry');
    expect(await inserted(id, become({ openOrders: undefined, decision: 'declined' }), own)).toBe('stored');
  });

  test.each(['organization', 'soleProprietor', 'person'])(
    'P08: a closing of a %s that no person decided is taken only where its notice allows it',
    async (kind) => {
      for (const autoClosable of [true, false]) {
        const notice: Change = (data) => Object.assign(data, { autoClosable, entity: { kind } });
        const ofNotice = {
          type: 'liandun.notice.issued.v1',
          source: 'urn:liandun:ledger',
          stream: 'notices/platform-b',
        };
        const automated: Change = become({ noticeId: 'platform-b.1000000', automated: true });
        expect(
          await insertedBoth([notice, ofNotice], [automated, { ...own, stream: 'notice/platform-b.1000000' }]),
        ).toBe(kind === 'organization' && autoClosable ? 'stored' : '23514 closed_by_a_person');
      }
      expect(await inserted(id, become({ automated: true }), own)).toBe('23514 closed_by_a_person');
      expect(await inserted(id, become({ automated: 'yes' }), own)).toBe('23514 closed_by_a_person');
      expect(await inserted(id, become({ automated: false }), own)).toBe('stored');
      expect(await inserted(id, become({ automated: true, decision: 'noShop' }), own)).toBe('stored');
    },
  );

  /** A notice, and in the same transaction what answers it. */
  async function insertedBoth(...pair: [Change, Record<string, string>][]): Promise<string> {
    const client = await api.pool.connect();
    try {
      await client.query('begin');
      let said = '';
      for (const [n, [change, more]] of pair.entries()) said = await copy(client, id, change, more, n);
      return said;
    } finally {
      await client.query('rollback');
      client.release();
    }
  }
});
