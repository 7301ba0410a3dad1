import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  makeRegistrationNumber,
  makeResidentId,
  makeUscc,
  memberSource,
  type CloudEvent,
  type Receipt,
} from '@liandun/contracts';
import { randomUUID } from 'node:crypto';
import { CodeGateway } from '../support/codes.js';
import { listingOf } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, organization, person, reported } from '../support/submissions.js';
import { fuzz, schemathesis } from './fuzz.js';

// "npm run fuzz" asks for ten minutes, with other requests each time; without it they are the same, so that a failure is one again.
const ASKED = process.env['LIANDUN_FUZZ_SECONDS'];
const SECONDS = Number(ASKED ?? 45);
const SEED = ASKED === undefined ? { seed: 20200203 } : {};
const PLATFORM = 'fuzz-platform';
const REGULATOR = 'fuzz-regulator';
/** Whom administrators may do everything to. */
const OTHER = 'fuzz-other';
const SUBJECT = 'a subject';
const SUBJECT_NO = 10;
const SUBJECT_PHONE = '13900000010';
/** A second one, who decides on what the first proposes. */
const REGULATOR_2 = 'fuzz-regulator-2';
const AUDITED = { 'Liandun-Purpose': 'supervision', 'Liandun-Case': '2020-17' };

const program = await schemathesis();
if ('missing' in program) console.warn(`schemathesis is skipped: ${program.missing}`);
const path = 'path' in program ? program.path : '';

let product: Product;
let known: Record<string, string[]>;
let gateway: CodeGateway;
let subjectToken: string;

async function ask(address: string, body: object, token?: string): Promise<Record<string, string>> {
  const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const headers = { 'content-type': 'application/json', ...authorization };
  const answer = await fetch(`${product.url}${address}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const said = (await answer.json()) as Record<string, string>;
  if (!answer.ok) throw new Error(`${address} was answered ${answer.status} ${said['code']}`);
  return said;
}

/** Proves who he is, as a merchant would; what belongs to him is found by this token. */
async function identify(): Promise<string> {
  const who = { uscc: makeUscc('990101', SUBJECT_NO), name: `虚构贸易${SUBJECT_NO}有限公司`, channel: 'sms' };
  const { identificationId } = await ask('/public/identifications', who);
  const code = await gateway.next(SUBJECT_PHONE);
  const { token = '' } = await ask(`/public/identifications/${identificationId}/code`, { code });
  return token;
}

/** Two merchants that may be one: an old number under two names. The second is listed, so that it takes two persons to link them. */
async function doubted(n: number): Promise<{ reviewId: string; events: CloudEvent[] }> {
  const registrationNumber = makeRegistrationNumber('990101', n);
  const teaHouse = { kind: 'organization', name: '望江亭茶庄', registrationNumber };
  const hosted = reported(OTHER, `t-${n}`, teaHouse) as CloudEvent;
  const listed = delisted(PLATFORM, `t-${n}`, organization(n, { registrationNumber })) as CloudEvent;
  const [one, other] = [await product.client(OTHER).publish(hosted), await product.client(PLATFORM).publish(listed)];
  return { reviewId: `R${one.position}-${other.position}`, events: [hosted, listed] };
}

/** Changes that await a second person, of each kind that anybody may be asked about. */
async function requested(reviewId: string): Promise<string[]> {
  const [platform, regulator, admin] = [
    product.client(PLATFORM),
    product.client(REGULATOR_2),
    product.client('admin-1'),
  ];
  const review = { decision: 'same', ground: 'licenceSeen', caseNo: '2020-17', reviewer: 'officer-1' };
  const { codes } = await admin.get<{ codes: { area: string }[] }>('/v1/reason-codes');
  const { area: _area, ...code } = codes[0] ?? { area: '' };
  const asked = [
    await platform.post<{ approvalId: string }>('/v1/erasures', {
      identifiers: { residentId: makeResidentId('990101', '19900101', 0) },
      basis: 'purposeEnded',
      requestId: randomUUID(),
    }),
    await regulator.post<{ approvalId: string }>(`/v1/reviews/${reviewId}/decision`, review),
    await admin.post<{ approvalId: string }>(`/v1/members/${OTHER}/limits`, { limits: {} }),
    await admin.post<{ approvalId: string }>('/v1/reason-codes', { codes: [{ ...code, labelEn: 'other words' }] }),
  ];
  return asked.map(({ approvalId }) => approvalId);
}

/** Something to find behind each kind of address. */
async function settle(): Promise<Record<string, string[]>> {
  const client = product.client(PLATFORM);
  const events = [0, 1, 2].flatMap((n) => [
    reported(PLATFORM, `m-${n}`, n === 0 ? person(n) : organization(n)),
    delisted(PLATFORM, `d-${n}`, organization(n + SUBJECT_NO, n === 0 ? { phones: [SUBJECT_PHONE] } : {})),
  ]) as CloudEvent[];
  const held = delisted(PLATFORM, 'd-held', organization(20), { code: 'E01' }) as CloudEvent;
  const receipts: Receipt[] = await client.publish([...events, held]);
  const doubts = [await doubted(40), await doubted(41)];
  await product.settled();
  const { items } = await client.get<{ items: { entityId?: string }[] }>('/v1/audit/events?limit=100');
  const entities = [...new Set(items.flatMap(({ entityId }) => entityId ?? []))];
  const [open, proposed] = doubts as [(typeof doubts)[0], (typeof doubts)[0]];
  const approvalIds = await requested(proposed.reviewId);
  // What is asked of a regulator is there to be found.
  await product.client(REGULATOR).get(`/v1/reviews/${open.reviewId}`, { purpose: 'supervision', caseNo: '2020-17' });
  subjectToken = await identify();
  const listingId = receipts
    .slice(0, -1)
    .filter((_, n) => n % 2 === 1)
    .map(listingOf);
  const appeal = { listingId: listingId[0], grounds: 'wrongFinding', statement: '货品均有授权。' };
  const { appealId = '' } = await ask('/public/appeals', appeal, subjectToken);
  const applicant = { purpose: 'onboarding', identity: organization(SUBJECT_NO) };
  const { screeningId } = await client.post<{ screeningId: string }>('/v1/screenings', applicant);
  const who = { uscc: makeUscc('990101', SUBJECT_NO), name: `虚构贸易${SUBJECT_NO}有限公司`, channel: 'sms' };
  const { identificationId = '' } = await ask('/public/identifications', who);
  const { items: notices } = await product.client(OTHER).notices(-1, 100);
  return {
    appealId: [appealId],
    caseId: [held.id],
    screeningId: [screeningId],
    identificationId: [identificationId],
    reviewId: doubts.map(({ reviewId }) => reviewId),
    noticeId: notices.map(({ data }) => data.noticeId),
    memberId: [OTHER],
    member: [OTHER, PLATFORM],
    kid: [`${OTHER}-1`],
    entityId: entities,
    other: entities.toReversed(),
    listingId: [...listingId, listingOf(receipts.at(-1) as Receipt)],
    source: [memberSource(PLATFORM)],
    id: [...events, held].map(({ id }) => id),
    approvalId: approvalIds,
    level: ['0'],
    tile: ['000.p/4', '000.p/8'],
  };
}

const tried = path === '' ? describe.skip : describe;

// Every answer but 429 is tried: with the usual limits there would soon be no other.
const MANY = 100_000_000;
const LIMITS = {
  rates: Object.fromEntries(
    ['events', 'read', 'write', 'screening', 'token', 'public', 'subject'].map((rate) => [rate, MANY]),
  ),
  identifiersPerDay: MANY,
  missesPerDay: MANY,
};

beforeAll(async () => {
  if (path === '') return;
  const members = [
    { memberId: PLATFORM, role: 'platform' as const },
    { memberId: OTHER, role: 'platform' as const },
    ...[REGULATOR, REGULATOR_2].map((memberId) => ({ memberId, role: 'regulator' as const })),
  ];
  gateway = await CodeGateway.start();
  product = await Product.start(members, undefined, undefined, { LIANDUN_CODE_GATEWAY: gateway.url }, LIMITS);
  known = await settle();
}, 180_000);

afterAll(async () => {
  await product?.stop();
  await gateway?.stop();
});

tried('schemathesis finds', () => {
  test.each([PLATFORM, REGULATOR, SUBJECT, 'admin-2'])(
    'no 5xx and no word against the OpenAPI document, asked by %s',
    async (memberId) => {
      const headers = memberId === REGULATOR ? AUDITED : {};
      const token = async (): Promise<string> =>
        memberId === SUBJECT ? subjectToken : product.client(memberId).token();
      const { code, output } = await fuzz({
        path,
        url: product.url,
        seconds: Math.ceil(SECONDS / 4),
        token,
        known,
        headers,
        ...SEED,
      });
      // Its report is what has to be mended.
      expect({ code, report: code === 0 ? '' : output }).toEqual({ code: 0, report: '' });
    },
    (SECONDS + 120) * 1_000,
  );
});
