// What the database itself refuses, whatever a query asks for: docs/decisions/0014-walls.md.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SUBMITTED_TYPES } from '@liandun/contracts';
import { readAs } from '@liandun/event-log';
import pg from 'pg';
import { asApp } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';
import { delisted, organization, reported, submission } from '../support/submissions.js';

/** Tables that belong to no member, and why. Whoever adds a table walls it (`wall` in libs/event-log) or says here why not. */
const NOBODYS: Record<string, string> = {
  'migration.applied': 'which migrations have run',
  'log.head': 'how many entries there are',
  'log.reason_code': 'published reason codes with their articles of law',
  'access.reason_code': 'the versions of the published reason codes',
  'log.reader': 'how far each of the ledger’s own readers has come',
  'tlog.tree': 'how many entries are hashed',
  'tlog.tile': 'hashes, public',
  'tlog.checkpoint': 'signed notes, public',
  'tlog.halt': 'why the log is not continued',
  'tlog.cosignature': 'signature lines of witnesses, public',
  'tlog.witnessed': 'which checkpoints enough witnesses have cosigned',
  'tlog.alarm': 'when a witness disagreed, for the operator',
  'relay.lease': 'which process relays',
  'vault.index_version': 'which version of the blind index is compared by',
  'vault.rotation': 'how far a rotation of keys has come',
};
const ROLES = ['liandun_owner', 'liandun_worker', 'liandun_door', 'liandun_api'];
const PRODUCT = `n.nspname !~ '^(pg_|information_schema$)'`;
const [A, B] = ['platform-a', 'platform-b'] as const;
const REGULATOR = 'regulator-x';
const [PLATFORM_A, PLATFORM_B] = [A, B].map((memberId) => ({ memberId, role: 'platform' }));

let ledger: TestLedger;
let admin: pg.Client;
let api: pg.Pool;

const setUp = async (): Promise<void> => {
  ledger = await TestLedger.start();
  for (const member of [A, B, 'platform-c']) await ledger.admit(member);
  await ledger.admit(REGULATOR, 'regulator');
  for (const [n, member] of [A, B].entries()) {
    await ledger.submit(member, [
      reported(member, `m-${n}`, organization(700 + n)),
      reported(member, 'm-shared', organization(720, { legalRepresentative: { name: '虚构人' } })),
      delisted(member, `x-${n}`, organization(710 + n)),
    ]);
  }
  await ledger.submit('platform-c', [delisted('platform-c', 'm-c', organization(720))]);
  for (const member of [A, B]) {
    const { noticeId } = (await ledger.notices(member)).find(({ action }) => action === 'close') as {
      noticeId: string;
    };
    const data = {
      noticeId,
      decision: 'noShop',
      shops: [],
      decidedAt: new Date().toISOString(),
      decidedBy: 'reviewer',
    };
    const [receipt] = await ledger.submit(member, [submission(member, SUBMITTED_TYPES.noticeDisposed, data)]);
    expect(receipt).toMatchObject({ status: 'accepted' });
  }
  admin = new pg.Client({ connectionString: ledger.url });
  await admin.connect();
  // What the api's rider folds; founders need no approval.
  for (const [n, member] of [A, B].entries()) {
    await admin.query(`insert into access.member values ($1, $1, 'platform', 'active', '{}', 'optional', $2)`, [
      member,
      n,
    ]);
    await admin.query(`insert into access.member_key values ($1, 'k', '{"kid":"k"}', 'live', now(), now())`, [member]);
  }
  for (const member of [A, B])
    await admin.query(
      `insert into access.approval values ($1, '{"action":"erase"}', $1, 'pending', null, now(), null)`,
      [member],
    );
  api = new pg.Pool({ connectionString: asApp(ledger.url, 'liandun_api'), max: 1, ...({ pipeline: true } as object) });
};

beforeAll(setUp);
afterAll(async () => {
  await api?.end();
  await admin?.end();
  await ledger?.stop();
});

interface TableRow {
  name: string;
  enabled: boolean;
  forced: boolean;
  policies: number;
  owner: string;
}

/** Tables of the product that nobody walled: their names, each with what it lacks. */
async function unwalled(db: pg.ClientBase): Promise<string[]> {
  const { rows } = await db.query<TableRow>(
    `select n.nspname || '.' || c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
       (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies, c.relowner::regrole::text as owner
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'm', 'v', 'f') and ${PRODUCT} order by 1`,
  );
  return rows.flatMap(({ name, enabled, forced, policies }) => {
    const lacks = [
      ...(enabled ? [] : ['row-level security']),
      ...(forced ? [] : ['force']),
      ...(policies ? [] : ['a policy']),
    ];
    if (lacks.length === 0 || NOBODYS[name] !== undefined) return [];
    return [`${name} lacks ${lacks.join(', ')}: use wall() of libs/event-log, or name it in NOBODYS with the reason`];
  });
}

describe('P18: the catalogue', () => {
  test('row-level security is forced, by a policy, on every table that belongs to a member', async () => {
    expect(await unwalled(admin)).toEqual([]);
  });

  test('a table without a policy is found, also a view, which would show what its owner sees', async () => {
    await admin.query('begin');
    await admin.query('create table view.planted (member text); create view view.seen as select * from view.notice');
    expect((await unwalled(admin)).map((line) => line.split(':')[0])).toEqual([
      'view.planted lacks row-level security, force, a policy',
      'view.seen lacks row-level security, force, a policy',
    ]);
    await admin.query('alter table view.planted enable row level security');
    expect((await unwalled(admin))[0]).toContain('view.planted lacks force, a policy');
    await admin.query('rollback');
  });

  test('none of the roles is a superuser or passes row-level security, and only the owner owns', async () => {
    const { rows } = await admin.query(
      `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles
       where rolname = any($1) and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`,
      [ROLES],
    );
    expect(rows).toEqual([]);
    const owners = await admin.query(
      `select distinct c.relowner::regrole::text as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${PRODUCT}
       union select distinct n.nspowner::regrole::text from pg_namespace n where ${PRODUCT} and n.nspname <> 'public'
       union select distinct p.proowner::regrole::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where ${PRODUCT} and p.prosecdef`,
    );
    expect(owners.rows).toEqual([{ owner: 'liandun_owner' }]);
    const members = await admin.query(
      `select m.member::regrole::text as who, m.roleid::regrole::text as role, inherit_option as inherits
       from pg_auth_members m where m.member::regrole::text = any($1)`,
      [ROLES],
    );
    // The api takes the door's rights on by name, on connections of their own; a caller's never has them.
    expect(members.rows).toEqual([{ who: 'liandun_api', role: 'liandun_door', inherits: false }]);
  });

  test('the api writes nothing, and its door reads no notice and no disposition, and nothing that others host', async () => {
    const { rows } = await admin.query<{ grantee: string; what: string }>(
      `select grantee::regrole::text as grantee, n.nspname || '.' || c.relname || ' ' || lower(a.privilege_type) as what
       from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
       where a.grantee::regrole::text in ('liandun_api', 'liandun_door') and ${PRODUCT} order by 1, 2`,
    );
    const of = (role: string): string[] => rows.filter(({ grantee }) => grantee === role).map(({ what }) => what);
    expect(of('liandun_api').filter((what) => !what.endsWith(' select'))).toEqual([]);
    const reads = of('liandun_door').filter(
      (what) => what.endsWith(' select') && /^(view|vault|relay|identity)\./.test(what),
    );
    expect(reads).toEqual([
      'identity.link select',
      'vault.data_key select',
      'vault.erasure select',
      'vault.index_version select',
      'vault.person_token select',
      'vault.record select',
      'vault.rotation select',
      'vault.token select',
      'view.listing select',
    ]);
    const nobody = await admin.query(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
       where a.grantee = 0 and ${PRODUCT}`,
    );
    expect(nobody.rows).toEqual([]);
  });

  test('its owner sees no row of a walled table', async () => {
    await admin.query('begin; set local role liandun_owner');
    const { rows } = await admin.query(
      'select (select count(*) from log.entry)::int as entries, (select count(*) from view.notice)::int as notices',
    );
    await admin.query('rollback');
    expect(rows).toEqual([{ entries: 0, notices: 0 }]);
  });
});

/** Every table that a platform's questions read, with no filter at all, and whose each row is. */
const UNFILTERED: Record<string, string> = {
  'the feed': `select split_part(stream, '/', 2) as whose from log.entry where stream like 'notices/%'`,
  'what was sent': `select replace(source, 'urn:liandun:member:', '') as whose from log.entry where source <> 'urn:liandun:ledger'`,
  'ids of what was sent': `select replace(source, 'urn:liandun:member:', '') as whose from log.event_id where source <> 'urn:liandun:ledger'`,
  streams: `select split_part(stream, '/', 2) as whose from log.stream where stream like 'notices/%'`,
  observations: 'select member as whose from view.observation',
  listings: 'select source_member as whose from view.listing',
  notices: 'select member as whose from view.notice',
  dispositions: 'select member as whose from view.disposition',
  'the audit': 'select member as whose from view.audit',
  members: 'select member_id as whose from access.member',
  keys: 'select member_id as whose from access.member_key',
  approvals: 'select requested_by as whose from access.approval',
  'sealed values': `select (select replace(e.source, 'urn:liandun:member:', '') from log.entry e where e.position = r.position) as whose
      from vault.record r join vault.data_key k using (position, person)`,
};
const cases = Object.entries(UNFILTERED);
const whose = (rows: { whose: string | null }[]): (string | null)[] => [...new Set(rows.map((row) => row.whose))];

describe("P18: a question without its filter, as the api's role", () => {
  test.each(cases)('%s: shows each platform its own and nothing of the other', async (_, text) => {
    // The rows are there to be seen.
    const all = await admin.query<{ whose: string }>(text);
    expect(whose(all.rows)).toEqual(expect.arrayContaining([A, B]));
    for (const caller of [PLATFORM_A, PLATFORM_B]) {
      const { rows } = await readAs(api, caller!, (db) => db.query<{ whose: string }>(text));
      expect(whose(rows)).toEqual([caller!.memberId]);
      expect(rows).toHaveLength(all.rows.filter((row) => row.whose === caller!.memberId).length);
    }
  });

  test.each(cases)('%s: shows nothing at all where no caller is named', async (_, text) => {
    expect((await api.query(text)).rows).toEqual([]);
    expect((await readAs(api, { memberId: '', role: '' }, (db) => db.query(text))).rows).toEqual([]);
  });

  test('an entity that others reported is not there, one of its own is', async () => {
    const entities = async (caller: { memberId: string; role: string }): Promise<string[]> => {
      const { rows } = await readAs(api, caller, (db) =>
        db.query<{ uscc: string }>('select uscc from view.entity order by uscc'),
      );
      return rows.map(({ uscc }) => uscc);
    };
    const [ofA, ofB] = [await entities(PLATFORM_A!), await entities(PLATFORM_B!)];
    expect(ofA).toHaveLength(3);
    expect(ofA.filter((uscc) => ofB.includes(uscc))).toHaveLength(1);
    expect((await entities({ memberId: REGULATOR, role: 'regulator' })).length).toBeGreaterThan(4);
    for (const table of ['view.possible', 'view.parted', 'view.hosting', 'access.review'])
      expect((await readAs(api, PLATFORM_A!, (db) => db.query(`select from ${table}`))).rows).toEqual([]);
  });

  test('what is the worker’s or the door’s alone is refused, not empty', async () => {
    for (const table of ['view.told', 'view.receiver', 'vault.token', 'relay.cursor', 'auth.used_jti', 'log.parked'])
      await expect(readAs(api, PLATFORM_A!, (db) => db.query(`select from ${table}`))).rejects.toThrow(
        'permission denied',
      );
    await expect(api.query('delete from view.notice')).rejects.toThrow('permission denied');
  });
});

test('all that is read for one answer is of one moment', async () => {
  const own = async (db: pg.ClientBase): Promise<unknown> =>
    (await db.query('select count(*) from view.observation where member = $1', [A])).rows[0];
  const [before, meanwhile] = await readAs(api, PLATFORM_A!, async (db) => {
    const first = await own(db);
    await ledger.submit(A, [reported(A, 'm-meanwhile', organization(730))]);
    return [first, await own(db)];
  });
  expect(meanwhile).toEqual(before);
  expect(await readAs(api, PLATFORM_A!, own)).not.toEqual(before);
});

describe('P18: a connection that is used again', () => {
  const seen = async (db: { query: pg.ClientBase['query'] }): Promise<(string | null)[]> =>
    whose((await db.query<{ whose: string }>('select member as whose from view.notice')).rows);
  const settings = async (): Promise<unknown> =>
    (
      await api.query(
        `select current_setting('liandun.member', true) as member, current_setting('liandun.role', true) as role`,
      )
    ).rows[0];

  test('forgets whom it read for', async () => {
    expect(await readAs(api, PLATFORM_A!, seen)).toEqual([A]);
    expect(await seen(api)).toEqual([]);
    expect(await settings()).toEqual({ member: '', role: '' });
    expect(await readAs(api, PLATFORM_B!, seen)).toEqual([B]);
  });

  test('also where the work failed, in the database or before it', async () => {
    await expect(readAs(api, PLATFORM_A!, (db) => db.query('select 1 / 0'))).rejects.toThrow('division by zero');
    expect(await seen(api)).toEqual([]);
    await expect(readAs(api, PLATFORM_A!, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await seen(api)).toEqual([]);
    expect(await readAs(api, PLATFORM_B!, seen)).toEqual([B]);
  });

  test('also where many read at once, over one connection and over many', async () => {
    const many = new pg.Pool({
      connectionString: asApp(ledger.url, 'liandun_api'),
      max: 4,
      ...({ pipeline: true } as object),
    });
    try {
      for (const pool of [api, many]) {
        const readings = Array.from({ length: 100 }, (_, n) =>
          n % 5 === 4
            ? seen(pool)
            : readAs(pool, n % 2 ? PLATFORM_A! : PLATFORM_B!, (db) =>
                n % 7 === 6 ? db.query('select 1 / 0').then(() => []) : seen(db),
              ).catch(() => []),
        );
        const expected = Array.from({ length: 100 }, (_, n) => (n % 5 === 4 || n % 7 === 6 ? [] : [n % 2 ? A : B]));
        expect(await Promise.all(readings)).toEqual(expected);
      }
    } finally {
      await many.end();
    }
  });

  test('a name is a name, whatever is in it', async () => {
    const hostile = `x'; set local liandun.role = 'regulator'; --`;
    expect(await readAs(api, { memberId: hostile, role: 'platform' }, seen)).toEqual([]);
  });
});

test('the planner looks the caller up once, and goes on using the index that the question has', async () => {
  const plan = await readAs(api, PLATFORM_A!, async (db) => {
    await db.query('set local enable_seqscan = off');
    const { rows } = await db.query<{ 'QUERY PLAN': string }>(
      `explain select entry from log.entry where stream = 'notices/${A}' and version > 0 order by version limit 10`,
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  expect(plan).toMatch(/Index Scan using entry_stream_version_key/);
  expect(plan).toMatch(/Index Cond: \(\(stream = .*\) AND \(version > 0\)\)/);
  expect(plan).toMatch(/InitPlan/);
});
