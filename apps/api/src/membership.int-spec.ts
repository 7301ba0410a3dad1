import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { rebuildProjection } from '@liandun/event-log';
import { memberSource } from '@liandun/contracts';
import { accessProjection } from '@liandun/views';
import { AGREEMENT } from '../../../test/support/agreement.js';
import { ed25519, p256, publicKeyOf, TestApi, type Answer, type TestMember } from '../../../test/support/api.js';
import { organization, reported } from '../../../test/support/submissions.js';
import { createApi } from './api.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

let memberId = '';
let serial = 0;
const post = (who: TestMember, path: string, body: unknown = {}): Promise<Answer> =>
  api.call(who, 'POST', path, { body });
const decide = (who: TestMember, approvalId: string, decision = 'approve'): Promise<Answer> =>
  post(who, `/v1/approvals/${approvalId}`, { decision });
const events = async (): Promise<string[]> => {
  const { rows } = await api.pool.query('select type from log.entry where stream = $1 order by version', [
    `member/${memberId}`,
  ]);
  return rows.map(({ type }) => type.split('.')[2]);
};
const mayCall = async (): Promise<boolean> => {
  const { body } = await api.requestToken(await api.assertion(memberId));
  return (await api.call(undefined, 'GET', '/v1/notices', { token: body.access_token ?? 'none' })).status === 200;
};

const change = async (path: string, body: object = {}): Promise<Answer> => {
  const requested = await post('admin', path, body);
  return requested.status === 202 ? decide('admin-2', requested.body.approvalId) : requested;
};

/** A platform that was just admitted by two administrators. */
beforeEach(async () => {
  serial += 1;
  memberId = `platform-new-${serial}`;
  const key = ed25519(`${memberId}-1`);
  api.keys.set(memberId, key);
  await change('/v1/members', { memberId, name: '新平台', role: 'platform', keys: [publicKeyOf(key)] });
});

test('P20: a member is there once a second administrator has approved', async () => {
  memberId = 'platform-later';
  const key = p256('later-1');
  api.keys.set(memberId, key);
  const { status, body } = await post('admin', '/v1/members', {
    memberId,
    name: '后来的平台',
    role: 'platform',
    keys: [publicKeyOf(key)],
  });
  expect(status).toBe(202);
  expect(await events()).toEqual([]);
  expect(await mayCall()).toBe(false);
  expect((await decide('admin-2', body.approvalId)).status).toBe(200);
  expect(await events()).toEqual(['admitted']);
  expect(await mayCall()).toBe(true);
  const { body: members } = await api.call('admin', 'GET', '/v1/members');
  expect(members.items).toContainEqual(expect.objectContaining({ memberId, status: 'active', role: 'platform' }));
});

test('P20: who asks may not approve: not in the code, not in the database', async () => {
  const { body } = await post('admin', `/v1/members/${memberId}/removal`);
  const own = await decide('admin', body.approvalId);
  expect([own.status, own.body.code]).toEqual([403, 'SECOND_PERSON_NEEDED']);
  const update = api.pool.query(
    "update access.approval set status = 'granted', decided_by = requested_by where approval_id = $1",
    [body.approvalId],
  );
  await expect(update).rejects.toThrow('violates check constraint');
  const named = await post('admin-2', `/v1/approvals/${body.approvalId}`, { decision: 'approve', reviewer: 'o-2' });
  expect(named.body).toMatchObject({ code: 'FIELD_NOT_APPLICABLE', errors: [{ pointer: '/reviewer' }] });
  expect((await decide('admin-2', body.approvalId)).body.status).toBe('granted');
  const again = await decide('admin-3', body.approvalId);
  expect([again.status, again.body.code]).toEqual([409, 'APPROVAL_DECIDED']);
});

describe('P20: in the database, whatever the code decides, as the role that folds it', () => {
  const tried = async (...statements: string[]): Promise<string> => {
    const client = await api.pool.connect();
    try {
      await client.query('begin; set local role liandun_door');
      for (const statement of statements) await client.query(statement);
      return 'done';
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await client.query('rollback');
      client.release();
    }
  };
  const approval = (said: object, status: string, decidedBy: string | null = status === 'pending' ? null : 'admin-2') =>
    `insert into access.approval values (gen_random_uuid(), '${JSON.stringify({ memberId, ...said })}', 'admin', '${status}',
       ${decidedBy === null ? 'null, now(), null' : `'${decidedBy}', now(), now()`})`;
  const key = { kid: 'k9', kty: 'OKP', crv: 'Ed25519', x: 'x' };
  const whose = (): string => `where member_id = '${memberId}'`;
  const admit = { memberId: 'm9', action: 'admit', name: 'M', role: 'platform', keys: [key], subscription: {} };
  const REFUSED = '23514';
  type Effect = [what: string, statement: () => string, change: object, status: string, before?: () => string];
  const effects: Effect[] = [
    [
      'an admission',
      () => `insert into access.member values ('m9', 'M', 'platform', 'active', '{}', 'optional', 999999)`,
      admit,
      'granted',
    ],
    ['a removal', () => `update access.member set status = 'removed' ${whose()}`, { action: 'remove' }, 'granted'],
    [
      'a suspension',
      () => `update access.member set status = 'suspended' ${whose()}`,
      { action: 'suspend' },
      'pending',
    ],
    [
      'another key',
      () =>
        `insert into access.member_key values ('${memberId}', 'k9', '${JSON.stringify(key)}', 'live', now(), now())`,
      { action: 'addKey', key },
      'granted',
    ],
    [
      'a revocation',
      () => `update access.member_key set status = 'revoked' ${whose()}`,
      { action: 'revokeKey', kid: '' },
      'granted',
    ],
    [
      'an emergency',
      () => `update access.member_key set status = 'suspended' ${whose()}`,
      { action: 'revokeKey', kid: '', emergency: true },
      'pending',
    ],
    [
      'another subscription',
      () => `update access.member set subscription = '{"tiers":[1]}' ${whose()}`,
      { action: 'changeSubscription', subscription: { tiers: [1] } },
      'granted',
    ],
    [
      'an agreement',
      () => `update access.member set agreement = '${JSON.stringify(AGREEMENT)}' ${whose()}`,
      { action: 'changeAgreement', agreement: AGREEMENT },
      'granted',
    ],
  ];

  test.each(effects)('%s takes the approval that says so, and no other', async (_, statement, said, status) => {
    const asked = 'kid' in said ? { ...said, kid: `${memberId}-1` } : said;
    expect(await tried(statement())).toBe(REFUSED);
    expect(await tried(approval(asked, status), statement())).toBe('done');
    expect(await tried(approval({ ...asked, memberId: 'platform-a' }, status), statement())).toBe(REFUSED);
    expect(await tried(approval({ ...asked, action: 'resume' }, status), statement())).toBe(REFUSED);
    expect(await tried(approval(asked, 'refused'), statement())).toBe(REFUSED);
    if (status === 'granted') expect(await tried(approval(asked, 'pending'), statement())).toBe(REFUSED);
    // Who asked is not the second person: such a row can't even stand.
    expect(await tried(approval(asked, 'granted', 'admin'), statement())).toBe(REFUSED);
  });

  test('what was suspended does not come back by an approval of before', async () => {
    const back = `update access.member set status = 'active' ${whose()}`;
    const suspended = [
      approval({ action: 'suspend' }, 'pending'),
      `update access.member set status = 'suspended' ${whose()}`,
    ];
    expect(await tried(...suspended, back)).toBe(REFUSED);
    expect(await tried(...suspended, approval({ action: 'resume' }, 'granted'), back)).toBe('done');
    const before = approval({ action: 'resume' }, 'granted').replaceAll('now()', `now() - interval '1 hour'`);
    expect(await tried(before, ...suspended, back)).toBe(REFUSED);
  });

  test('nothing of it can be deleted, and no key and no removal comes back', async () => {
    expect(await tried(`delete from access.approval`)).toBe('42501');
    expect(await tried(`delete from access.member_key ${whose()}`)).toBe('42501');
    const removed = [
      approval({ action: 'remove' }, 'granted'),
      `update access.member set status = 'removed' ${whose()}`,
    ];
    const resume = approval({ action: 'resume' }, 'granted');
    expect(await tried(...removed, resume, `update access.member set status = 'active' ${whose()}`)).toBe(REFUSED);
    const revoked = [
      approval({ action: 'revokeKey', kid: `${memberId}-1` }, 'granted'),
      `update access.member_key set status = 'revoked' ${whose()}`,
    ];
    expect(await tried(...revoked, `update access.member_key set status = 'live' ${whose()}`)).toBe(REFUSED);
  });
});

test('of two administrators who decide at the same moment one decides', async () => {
  const { body } = await post('admin', `/v1/members/${memberId}/removal`);
  const answers = await Promise.all([decide('admin-2', body.approvalId), decide('admin-3', body.approvalId, 'refuse')]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
});

describe('suspension', () => {
  test('P15: stops the next call at once; confirmed it stays until a resumption is approved', async () => {
    const { body: before } = await api.requestToken(await api.assertion(memberId));
    const token = before.access_token;
    expect((await api.call(undefined, 'GET', '/v1/notices', { token })).status).toBe(200);
    const { status, body } = await post('admin', `/v1/members/${memberId}/suspension`);
    expect(status).toBe(202);
    const next = await api.call(undefined, 'GET', '/v1/notices', { token });
    expect([next.status, next.body.code]).toEqual([403, 'MEMBER_SUSPENDED']);
    expect((await api.requestToken(await api.assertion(memberId))).body.error).toBe('invalid_client');
    const pending = await api.call('admin', 'GET', '/v1/approvals?status=pending&limit=1');
    const [approval] = pending.body.items;
    expect(approval.approvalId).toBe(body.approvalId);
    expect(Date.parse(approval.confirmBy) - Date.parse(approval.requestedAt)).toBe(86_400_000);
    await decide('admin-2', body.approvalId);
    expect(await mayCall()).toBe(false);
    const { body: resumption } = await post('admin-2', `/v1/members/${memberId}/resumption`);
    expect(await mayCall()).toBe(false);
    await decide('admin', resumption.approvalId);
    expect(await mayCall()).toBe(true);
    expect(await events()).toEqual(['admitted', 'suspended', 'resumed']);
  });

  test('P20: approved after the member was resumed, it changes nothing', async () => {
    const { body: late } = await post('admin', `/v1/members/${memberId}/suspension`);
    const { body: resumption } = await post('admin-2', `/v1/members/${memberId}/resumption`);
    await decide('admin', resumption.approvalId);
    expect(await mayCall()).toBe(true);
    const pending = await api.call('admin', 'GET', '/v1/approvals?status=pending&limit=1000');
    expect(pending.body.items).toContainEqual(expect.objectContaining({ approvalId: late.approvalId }));
    expect((await decide('admin-2', late.approvalId)).body.status).toBe('granted');
    expect(await mayCall()).toBe(true);
    const again = await decide('admin-3', late.approvalId);
    expect([again.status, again.body.code]).toEqual([409, 'APPROVAL_DECIDED']);
    // Nor does a refusal resume one that is suspended anew.
    const { body: refused } = await post('admin', `/v1/members/${memberId}/suspension`);
    const { body: back } = await post('admin-2', `/v1/members/${memberId}/resumption`);
    await decide('admin', back.approvalId);
    const { body: anew } = await post('admin', `/v1/members/${memberId}/suspension`);
    await decide('admin-2', refused.approvalId, 'refuse');
    expect(await mayCall()).toBe(false);
    await decide('admin-2', anew.approvalId);
    expect(await mayCall()).toBe(false);
    expect(await events()).toEqual(['admitted', 'suspended', 'resumed', 'suspended', 'resumed', 'suspended']);
  });

  test('refused by the second administrator it ends', async () => {
    const { body } = await post('admin', `/v1/members/${memberId}/suspension`);
    expect(await mayCall()).toBe(false);
    await decide('admin-2', body.approvalId, 'refuse');
    expect(await mayCall()).toBe(true);
  });

  test('ends a stream of notices that is open, before its next heartbeat', async () => {
    const { body } = await api.requestToken(await api.assertion(memberId));
    const read = await openStream(api.api.url, body.access_token);
    await post('admin', `/v1/members/${memberId}/suspension`);
    // A heartbeat would be one more text.
    expect(await read()).toBeUndefined();
  });
});

/** Opens a stream of notices, and reads it: undefined once it has ended. */
async function openStream(url: string, token: string): Promise<() => Promise<string | undefined>> {
  const response = await fetch(`${url}/v1/notices/stream`, { headers: { authorization: `Bearer ${token}` } });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const read = async (): Promise<string | undefined> => {
    const { value, done } = await reader.read();
    return done ? undefined : new TextDecoder().decode(value);
  };
  expect(await read()).toContain(': open');
  return read;
}

describe('keys', () => {
  test('are rotated: both live for a while, then the old one is refused', async () => {
    const [oldKey, newKey] = [api.keys.get(memberId), p256(`${memberId}-2`)];
    expect((await change(`/v1/members/${memberId}/keys`, { key: publicKeyOf(newKey) })).status).toBe(200);
    const statuses = async (): Promise<number[]> =>
      Promise.all(
        [oldKey, newKey].map(async (key) => (await api.requestToken(await api.assertion(memberId, {}, key))).status),
      );
    expect(await statuses()).toEqual([200, 200]);
    expect((await change(`/v1/members/${memberId}/keys/${memberId}-1/revocation`)).status).toBe(200);
    expect(await statuses()).toEqual([401, 200]);
    const last = await change(`/v1/members/${memberId}/keys/${memberId}-2/revocation`);
    expect([last.status, last.body.code]).toEqual([409, 'LAST_KEY']);
  });

  test('that are stolen stop at once; refused they live on, confirmed they are gone', async () => {
    const second = p256(`${memberId}-2`);
    await change(`/v1/members/${memberId}/keys`, { key: publicKeyOf(second) });
    const stop = (): Promise<Answer> =>
      post('admin', `/v1/members/${memberId}/keys/${memberId}-1/revocation`, { emergency: true });
    const status = async (): Promise<number> => (await api.requestToken(await api.assertion(memberId))).status;
    const { body: first } = await stop();
    expect(await status()).toBe(401);
    const { body: pending } = await api.call('admin', 'GET', '/v1/approvals?status=pending&limit=1');
    expect(Date.parse(pending.items[0].confirmBy) - Date.parse(pending.items[0].requestedAt)).toBe(86_400_000);
    expect((await decide('admin', first.approvalId)).body.code).toBe('SECOND_PERSON_NEEDED');
    await decide('admin-2', first.approvalId, 'refuse');
    expect(await status()).toBe(200);
    const { body: again } = await stop();
    await decide('admin-2', again.approvalId);
    expect(await status()).toBe(401);
    expect((await events()).slice(-4)).toEqual(['keysuspended', 'keyresumed', 'keysuspended', 'keyrevoked']);
  });

  test('P20: that are stopped twice stay so until each stop was refused, in the code and in the database', async () => {
    await change(`/v1/members/${memberId}/keys`, { key: publicKeyOf(p256(`${memberId}-2`)) });
    const stop = async (who: TestMember): Promise<string> => {
      const path = `/v1/members/${memberId}/keys/${memberId}-1/revocation`;
      return (await post(who, path, { emergency: true })).body.approvalId;
    };
    const status = async (): Promise<number> => (await api.requestToken(await api.assertion(memberId))).status;
    const live = (): Promise<unknown> =>
      api.pool.query(`update access.member_key set status = 'live' where member_id = $1`, [memberId]);
    const orders = [
      [0, 1],
      [1, 0],
    ] as const;
    for (const order of orders) {
      const stops = [await stop('admin'), await stop('admin-3')];
      const [first = '', last = ''] = order.map((n) => stops[n]);
      expect((await decide('admin-2', first, 'refuse')).body.status).toBe('refused');
      expect(await status()).toBe(401);
      await expect(live()).rejects.toThrow('no approval by a second person says so');
      await decide('admin-2', last, 'refuse');
      expect(await status()).toBe(200);
    }
    // Of two that stand, one confirmation revokes it; the other changes nothing any more.
    const [older, newer] = [await stop('admin'), await stop('admin-3')];
    await decide('admin-2', older);
    expect((await decide('admin-2', newer)).body.status).toBe('granted');
    expect(await status()).toBe(401);
    expect((await events()).slice(-3)).toEqual(['keysuspended', 'keysuspended', 'keyrevoked']);
  });

  test('are listed with their state: every member’s to an administrator, its own to a member', async () => {
    const second = p256(`${memberId}-2`);
    const path = `/v1/members/${memberId}/keys`;
    await change(path, { key: publicKeyOf(second) });
    const { body: plain } = await post('admin', `${path}/${memberId}-2/revocation`);
    const { body: stop } = await post('admin', `${path}/${memberId}-1/revocation`, { emergency: true });
    const { status, body } = await api.call('admin', 'GET', path);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+08:00$/);
    const asked = { requestedBy: 'admin', requestedAt: time };
    expect([status, body]).toEqual([
      200,
      {
        memberId,
        keys: [
          {
            kid: `${memberId}-1`,
            status: 'suspended',
            since: time,
            addedAt: time,
            alg: 'EdDSA',
            use: 'sig',
            key: publicKeyOf(api.keys.get(memberId)!),
            requests: [{ ...asked, approvalId: stop.approvalId, emergency: true, confirmBy: time }],
          },
          expect.objectContaining({
            kid: `${memberId}-2`,
            status: 'live',
            alg: 'ES256',
            requests: [{ ...asked, approvalId: plain.approvalId, emergency: false }],
          }),
        ],
      },
    ]);
    const [{ addedAt, since }] = body.keys;
    expect(Date.parse(since)).toBeGreaterThan(Date.parse(addedAt));
    // A second stop of it leaves the time of the first.
    await post('admin-3', `${path}/${memberId}-1/revocation`, { emergency: true });
    const { body: again } = await api.call('admin', 'GET', path);
    expect([again.keys[0].since, again.keys[0].requests.length]).toEqual([since, 2]);
    // What administrators are asked is theirs; and to anybody else the member is none.
    const { body: granted } = await api.requestToken(await api.assertion(memberId, {}, second));
    const own = await api.call(undefined, 'GET', path, { token: granted.access_token });
    expect(own.body.keys).toEqual(again.keys.map(({ requests: _asked, ...key }: { requests: unknown }) => key));
    for (const who of ['platform-a', 'regulator-beijing'] as const)
      expect(await api.call(who, 'GET', path)).toMatchObject({ status: 404, body: { code: 'MEMBER_NOT_FOUND' } });
  });

  test('that are stopped end every token that was given for them, in every process, and no other', async () => {
    const kept = p256(`${memberId}-2`);
    await change(`/v1/members/${memberId}/keys`, { key: publicKeyOf(kept) });
    const [stolen, good] = await Promise.all(
      [api.keys.get(memberId), kept].map(
        async (key) => (await api.requestToken(await api.assertion(memberId, {}, key))).body.access_token as string,
      ),
    );
    const { LIANDUN_GENESIS: _, ...env } = api.env;
    const second = await createApi(env);
    try {
      const asked = async (token = ''): Promise<unknown[]> =>
        Promise.all(
          [api.api.url, second.url].map(async (url) => {
            const answer = await fetch(`${url}/v1/notices`, { headers: { authorization: `Bearer ${token}` } });
            const { code } = (await answer.json()) as { code?: string };
            return [answer.status, code, answer.headers.get('www-authenticate')?.includes('invalid_token')];
          }),
        );
      const answered = [200, undefined, undefined];
      const refused = [401, 'KEY_STOPPED', true];
      expect(await asked(stolen)).toEqual([answered, answered]);
      const streams = await Promise.all([api.api.url, second.url].map(async (url) => openStream(url, stolen ?? '')));
      const { body: stop } = await post('admin', `/v1/members/${memberId}/keys/${memberId}-1/revocation`, {
        emergency: true,
      });
      expect(await asked(stolen)).toEqual([refused, refused]);
      expect(await asked(good)).toEqual([answered, answered]);
      expect(await Promise.all(streams.map(async (read) => read()))).toEqual([undefined, undefined]);
      // Refused by the second person, the key is as it was; confirmed, it is gone for good.
      await decide('admin-2', stop.approvalId, 'refuse');
      expect(await asked(stolen)).toEqual([answered, answered]);
      await change(`/v1/members/${memberId}/keys/${memberId}-1/revocation`);
      expect(await asked(stolen)).toEqual([refused, refused]);
      expect(await asked(good)).toEqual([answered, answered]);
    } finally {
      await second.close();
    }
  });

  test('that are stopped end what is being sent: the next group of a stream is not taken', async () => {
    await change(`/v1/members/${memberId}/keys`, { key: publicKeyOf(p256(`${memberId}-2`)) });
    const { body } = await api.requestToken(await api.assertion(memberId));
    // fetch would wait for the end of what it sends.
    const sending = request(`${api.api.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${body.access_token}`, 'content-type': 'application/x-ndjson' },
    });
    const cut = new Promise<void>((resolve) => sending.once('error', () => resolve()));
    const event = (): string => `${JSON.stringify(reported(memberId, 'm-1', organization(1)))}\n`;
    sending.write(event());
    const [answer] = (await once(sending, 'response')) as [IncomingMessage];
    const [first] = (await once(answer, 'data')) as [Buffer];
    expect(first.toString()).toContain('"accepted"');
    const closed = new Promise<void>((resolve) => answer.once('close', () => resolve()).once('error', () => undefined));
    await post('admin', `/v1/members/${memberId}/keys/${memberId}-1/revocation`, { emergency: true });
    const more: string[] = [];
    answer.on('data', (chunk: Buffer) => more.push(chunk.toString()));
    sending.write(event());
    await Promise.race([closed, cut]);
    expect(more).toEqual([]);
    const { rows } = await api.pool.query('select from log.entry where source = $1', [memberSource(memberId)]);
    expect(rows).toHaveLength(1);
  });

  test('are three at most, and never private', async () => {
    for (const n of [2, 3])
      await change(`/v1/members/${memberId}/keys`, { key: publicKeyOf(ed25519(`${memberId}-${n}`)) });
    const fourth = await change(`/v1/members/${memberId}/keys`, { key: publicKeyOf(ed25519(`${memberId}-4`)) });
    expect([fourth.status, fourth.body.code]).toEqual([409, 'KEY_LIMIT']);
    const leaked = await post('admin', `/v1/members/${memberId}/keys`, { key: ed25519('leaked') });
    expect([leaked.status, leaked.body.errors[0]]).toEqual([
      422,
      expect.objectContaining({ pointer: '/key/d', code: 'UNKNOWN_FIELD' }),
    ]);
  });
});

describe('P16: what a member may be told', () => {
  const shown = async (): Promise<{ agreement: unknown; delivery: { open: boolean; because?: string } }> => {
    const { body } = await api.call('admin', 'GET', '/v1/members?limit=1000');
    return body.items.find((member: { memberId: string }) => member.memberId === memberId);
  };
  const applicant = { purpose: 'onboarding', identity: { kind: 'organization', name: '示例茶庄' } };
  const screen = async (body: object = applicant): Promise<unknown[]> => {
    const { body: granted } = await api.requestToken(await api.assertion(memberId));
    const answer = await api.call(undefined, 'POST', '/v1/screenings', { body, token: granted.access_token });
    return [answer.status, answer.body.code ?? answer.body.result];
  };
  const changeTo = (agreement: object): Promise<Answer> => change(`/v1/members/${memberId}/agreement`, { agreement });

  test('P16: an admission without an agreement is taken, and says that the member will receive nothing', async () => {
    const admission = {
      memberId: `${memberId}-b`,
      name: '平台',
      role: 'platform',
      keys: [publicKeyOf(ed25519('n-1'))],
    };
    const { status, body } = await post('admin', '/v1/members', admission);
    expect([status, body.delivery]).toEqual([
      202,
      expect.objectContaining({ open: false, because: 'noAgreement', en: expect.any(String), zh: expect.any(String) }),
    ]);
    const full = { ...admission, memberId: `${memberId}-c`, agreement: AGREEMENT };
    expect((await post('admin', '/v1/members', full)).body.delivery).toEqual({ open: true, missing: [] });
    expect(await shown()).toMatchObject({ agreement: null, delivery: { open: false, because: 'noAgreement' } });
  });

  test('P16: two administrators give an agreement; its basis decides what is answered, whoever is asked about', async () => {
    expect(await screen()).toEqual([403, 'NO_LEGAL_BASIS']);
    const requested = await post('admin', `/v1/members/${memberId}/agreement`, { agreement: AGREEMENT });
    expect(requested.status).toBe(202);
    expect(await screen()).toEqual([403, 'NO_LEGAL_BASIS']);
    expect((await decide('admin', requested.body.approvalId)).body.code).toBe('SECOND_PERSON_NEEDED');
    expect((await decide('admin-2', requested.body.approvalId)).status).toBe(200);
    expect(await events()).toEqual(['admitted', 'agreementchanged']);
    expect(await shown()).toMatchObject({ agreement: AGREEMENT, delivery: { open: true, missing: [] } });
    expect(await screen()).toEqual([200, 'clear']);
    const { person: _person, ...others } = AGREEMENT.bases;
    expect((await changeTo({ ...AGREEMENT, bases: others })).status).toBe(200);
    expect(await shown()).toMatchObject({ delivery: { open: true, because: 'noBasis', missing: ['person'] } });
    expect(await screen()).toEqual([200, 'clear']);
    const person = { purpose: 'onboarding', identity: { kind: 'person', name: '虚构' } };
    expect(await screen(person)).toEqual([403, 'NO_LEGAL_BASIS']);
    expect((await changeTo({ ...AGREEMENT, assessedUntil: '2020-01-01T00:00:00+08:00' })).status).toBe(200);
    expect(await screen()).toEqual([403, 'NO_LEGAL_BASIS']);
    // What was told while there was a basis stays readable: reopenings hang on it.
    expect(await mayCall()).toBe(true);
  });

  test('P16: a contract is no basis for what is told of persons; regulators and administrators have no agreement', async () => {
    const person = { kind: 'contract', ref: 'C-1' };
    const wrong = await post('admin', `/v1/members/${memberId}/agreement`, {
      agreement: {
        ...AGREEMENT,
        assessedUntil: 'soon',
        bases: { ...AGREEMENT.bases, person, match: person, note: person },
      },
    });
    expect(wrong.status).toBe(422);
    expect(wrong.body.errors.map(({ pointer, code }: { pointer: string; code: string }) => [pointer, code])).toEqual([
      ['/agreement/bases/note', 'UNKNOWN_FIELD'],
    ]);
    const again = await post('admin', `/v1/members/${memberId}/agreement`, {
      agreement: { ...AGREEMENT, assessedUntil: 'soon', bases: { ...AGREEMENT.bases, person, match: person } },
    });
    expect(again.body.errors.map(({ pointer, code }: { pointer: string; code: string }) => [pointer, code])).toEqual([
      ['/agreement/assessedUntil', 'INVALID_FORMAT'],
      ['/agreement/bases/person/kind', 'INVALID_VALUE'],
    ]);
    const regulator = await post('admin', '/v1/members/regulator-beijing/agreement', { agreement: AGREEMENT });
    expect(regulator.body.code).toBe('FIELD_NOT_APPLICABLE');
  });
});

test('a body is checked field by field', async () => {
  const { status, body } = await post('admin', '/v1/members', {
    memberId: 'No!',
    role: 'king',
    keys: [{ kid: 'k', kty: 'OKP', crv: 'P-256', x: 'x' }],
    note: 'x',
  });
  expect(status).toBe(422);
  const errors = body.errors.map(({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`);
  expect(errors.toSorted()).toEqual(
    [
      '/keys/0/x INVALID_FORMAT',
      '/memberId INVALID_FORMAT',
      '/name MISSING_FIELD',
      '/note UNKNOWN_FIELD',
      '/role INVALID_VALUE',
    ].toSorted(),
  );
});

test('what may be left out is left out, never null; and so is a body that says nothing', async () => {
  const refusals = async (path: string, body: object): Promise<unknown[]> => {
    const answer = await post('admin', `/v1/members/${memberId}${path}`, body);
    return [
      answer.status,
      ...(answer.body.errors?.map((each: { pointer: string; code: string }) => [each.pointer, each.code]) ?? []),
    ];
  };
  expect(await refusals('/limits', { limits: { timesMean: 0, subjectsPerHour: null } })).toEqual([
    422,
    ['/limits/subjectsPerHour', 'WRONG_TYPE'],
  ]);
  expect(await refusals('/subscription', { subscription: { tiers: null, riskEntities: null } })).toEqual([
    422,
    ['/subscription/tiers', 'WRONG_TYPE'],
    ['/subscription/riskEntities', 'WRONG_TYPE'],
  ]);
  const { person: _person, ...bases } = AGREEMENT.bases;
  expect(await refusals('/agreement', { agreement: { ...AGREEMENT, bases: { ...bases, person: null } } })).toEqual([
    422,
    ['/agreement/bases/person', 'WRONG_TYPE'],
  ]);
  expect((await post('admin', `/v1/members/${memberId}/limits`, { limits: {} })).status).toBe(202);
  expect((await api.call('admin', 'POST', `/v1/members/${memberId}/removal`)).status).toBe(202);
  for (const path of ['/removal', '/suspension', `/keys/${memberId}-1/revocation`])
    for (const body of ['null', '[]', '0'])
      expect([
        path,
        body,
        (await api.call('admin', 'POST', `/v1/members/${memberId}${path}`, { body })).body.code,
      ]).toEqual([path, body, 'WRONG_TYPE']);
  const { body: document } = await api.call(undefined, 'GET', '/openapi.json');
  expect(document.paths['/v1/members/{memberId}/removal'].post.requestBody.required).toBe(false);
  expect(document.paths['/v1/members/{memberId}/limits'].post.requestBody.required).toBe(true);
});

test('an unknown member and an unknown approval are not found', async () => {
  expect((await post('admin', '/v1/members/nobody/suspension')).body.code).toBe('MEMBER_NOT_FOUND');
  expect((await decide('admin', 'nothing')).body.code).toBe('APPROVAL_NOT_FOUND');
});

test('two administrators have to stay', async () => {
  const first = await post('admin', '/v1/members/admin-3/suspension');
  expect(first.status).toBe(202);
  const second = await post('admin', '/v1/members/admin-2/suspension');
  expect([second.status, second.body.code]).toEqual([409, 'ADMINISTRATORS_TOO_FEW']);
  expect((await decide('admin-2', first.body.approvalId, 'refuse')).status).toBe(200);
});

test('the state of access, rebuilt from the log, is the live one (I5)', async () => {
  const state = async (): Promise<unknown[]> => {
    const all = ['member order by member_id', 'member_key order by member_id, kid', 'approval order by approval_id'];
    return Promise.all(all.map(async (table) => (await api.pool.query(`select * from access.${table}`)).rows));
  };
  const live = await state();
  await rebuildProjection(api.pool, accessProjection);
  expect(await state()).toEqual(live);
  expect(await mayCall()).toBe(true);
});
