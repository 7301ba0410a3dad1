import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  loadWorkingDays,
  ReasonCodeHistory,
  SUBMITTED_TYPES,
  toBeijingTime,
  type AppealDecisionKind,
  type EntityMerged,
  type EntitySplit,
  type Link,
  type OutcomeType,
  type Receipt,
} from '@liandun/contracts';
import { appealDeadline, appealDecisionRefusal, appealRefusal, type CaseState } from '@liandun/domain';
import { rebuildProjection } from '@liandun/event-log';
import { casesIn } from '@liandun/intake';
import { ledgerProjection } from '@liandun/views';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { LedgerModel } from '../../../../test/support/histories.js';
import { TestLedger } from '../../../../test/support/ledger.js';
import {
  delisted,
  ending,
  organization,
  person,
  reported,
  shopOf,
  submission,
} from '../../../../test/support/submissions.js';
import { LifeClock } from '../clock.js';

const HISTORIES = 45;
const STEPS_MAX = 30;
const PLATFORMS = ['platform-a', 'platform-b', 'platform-c'];
/** Two organizations and a person. */
const MERCHANTS = 3;
/** No history changes the code table. */
const CODES = { history: new ReasonCodeHistory() };
const HOUR_MS = 3_600_000;
/** Past the 15 days of an appeal, and what a weekend or holiday adds. */
const APPEAL_OVER_MS = 40 * 24 * HOUR_MS;

let ledger: TestLedger;
let owner: pg.Pool;
let runs = 0;
const model = new LedgerModel();
/** How often each kind of step had an effect: a history in which nothing happens shows nothing. */
const taken = new Map<string, number>();

beforeAll(async () => {
  ledger = await TestLedger.start();
  owner = new pg.Pool({ connectionString: ledger.url, max: 2, ...({ pipeline: true } as object) });
  for (const member of PLATFORMS) await ledger.admit(member);
  await ledger.admit('regulator-x', 'regulator');
});
afterAll(async () => {
  await owner.end();
  await ledger.stop();
});

/** One history: what it is about, and what it has done so far. */
class History {
  readonly run = (runs += 1);
  readonly name = `h${this.run}-${randomUUID().slice(0, 8)}`;
  readonly sent: { by: string; raw: object }[] = [];
  readonly filed: { by: string; id: string; listingId: string; held: boolean; account: string }[] = [];
  readonly strays = new Map<string, { positions: number[]; home: string; at?: string }>();
  readonly suspended = new Set<string>();
  joiner: string | undefined;
  corrections = 0;

  identity(of: number): object {
    return of === MERCHANTS - 1 ? person(this.run) : organization(100_000 + this.run * MERCHANTS + of);
  }

  account = (of: number, by: string): string => `${this.name}-${of}-${by}`;

  /** Of an account of which nothing is known but a name. */
  stray = (by: string): { account: string; identity: object } => ({
    account: `${this.name}-stray-${by}`,
    identity: { kind: 'organization', name: `虚构·${this.name}商行` },
  });

  platform(n: number): string {
    return this.joiner !== undefined && n === PLATFORMS.length ? this.joiner : PLATFORMS[n % PLATFORMS.length]!;
  }

  async send(by: string, raw: object, what: string): Promise<Receipt | undefined> {
    this.sent.push({ by, raw });
    const role = by === 'regulator-x' ? 'regulator' : 'platform';
    const [receipt] = await ledger.intake.submitAll({ memberId: by, role }, [raw]);
    if (receipt?.status === 'rejected') return undefined;
    did(what);
    return receipt;
  }

  async membership(type: string, memberId: string, what: string): Promise<void> {
    await ledger.membership(type, { memberId });
    did(what);
  }
}

const did = (what: string): void => void taken.set(what, (taken.get(what) ?? 0) + 1);
const listingOf = ({ position, leafHash }: Receipt): string =>
  `L${position}-${Buffer.from(leafHash ?? '', 'base64').toString('hex', 0, 6)}`;

interface Step {
  kind: Kind;
  /** Which platform, merchant, earlier case or event; whatever the step makes of them. */
  by: number;
  of: number;
  which: number;
  yes: boolean;
}
type Take = (history: History, step: Step) => Promise<unknown>;

const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(1, from.length)];

type Account = { account: string; identity: object };

async function file(
  history: History,
  { by, yes }: Step,
  held: boolean,
  { account, identity }: Account,
): Promise<Receipt | undefined> {
  const [member, id] = [history.platform(by), randomUUID()];
  const more = {
    id,
    ...(held && { code: 'E01' }),
    ...(yes && { expiresAt: new Date(Date.now() + HOUR_MS).toISOString() }),
  };
  const raw = delisted(member, account, identity, more);
  const receipt = await history.send(member, raw, held ? 'hold' : 'delist');
  if (receipt) history.filed.push({ by: member, id, listingId: listingOf(receipt), held, account });
  return receipt;
}

const accountOf = (history: History, { by, of }: Step): Account => ({
  account: history.account(of, history.platform(by)),
  identity: history.identity(of),
});

/** Brings the clock to `ms` from now; notes what it did. */
async function tick(ms: number): Promise<void> {
  const now = (): Promise<Date> => Promise.resolve(new Date(Date.now() + ms));
  const clock = new LifeClock({ pool: ledger.pool, log: ledger.log, workingDays: loadWorkingDays(), now });
  await clock.tick();
  const { expired, stayed } = clock.status();
  if (expired > 0) did('expire');
  if (stayed > 0) did('stay by the clock');
}

interface CaseFiled {
  state: CaseState;
  stream: string;
  about: { listingId: string; caseId: string };
}

/** One of the cases that were filed of which this may be said, as its stream says that it stands. */
async function caseOf(
  history: History,
  which: number,
  may: (state: CaseState) => boolean,
): Promise<CaseFiled | undefined> {
  const found: CaseFiled[] = [];
  for (const { id, listingId } of history.filed) {
    const entry = await ledger.log.at(Number(/^L(\d+)-/.exec(listingId)?.[1]));
    const state = entry && (await casesIn(ledger.log, entry.stream, CODES)).cases.get(id);
    if (state && may(state)) found.push({ state, stream: entry.stream, about: { listingId, caseId: id } });
  }
  return pick(found, which);
}

async function say(type: OutcomeType, stream: string, data: object, what: string): Promise<void> {
  const id = randomUUID();
  const fingerprint = createHash('sha256').update(id).digest();
  const time = toBeijingTime(new Date());
  await ledger.log.append({ events: [{ id, source: LEDGER_SOURCE, type, time, stream, data, fingerprint }] });
  did(what);
}

/** What a reviewer says of an appeal that is open; refused as at the door where it can't be. */
async function decideAppeal(history: History, which: number, decision: AppealDecisionKind): Promise<void> {
  const reviewer = { member: 'regulator-x', decidedBy: 'reviewer-9' };
  const refusal = (state: CaseState): unknown => {
    const decider = { member: '', decidedBy: state.decidedBy };
    return appealDecisionRefusal({ ...state, decider }, state.appeal?.appealId ?? '', { decision }, reviewer);
  };
  const found = await caseOf(history, which, (state) => state.appeal !== undefined && !refusal(state));
  if (!found) return;
  const { state, stream, about } = found;
  const appealId = state.appeal?.appealId;
  const minutes = (history.corrections += 1);
  const data = {
    ...about,
    appealId,
    decision,
    ...(decision === 'overturned' && { cause: 'appealUpheld' }),
    // Each time earlier than the last.
    ...(decision === 'corrected' && { expiresAt: toBeijingTime(new Date(Date.now() + HOUR_MS - minutes * 60_000)) }),
    reasons: { commitment: 'c' },
    decidedBy: reviewer.decidedBy,
    by: reviewer.member,
    decidedAt: toBeijingTime(new Date()),
  };
  const after = state.life.status === 'stayed' ? `${decision} after a stay` : decision;
  await say(EVENT_TYPES.appealDecided, stream, data, after);
}

async function regroup(type: string, data: Partial<EntityMerged & EntitySplit>): Promise<void> {
  const id = randomUUID();
  const fingerprint = createHash('sha256').update(id).digest();
  const whole = { ...data, matcher: 'test', cause: 0 };
  const stream = `entity/${data.entityId}`;
  const event = { id, source: LEDGER_SOURCE, type, time: new Date().toISOString(), stream, data: whole, fingerprint };
  await ledger.log.append({ events: [event] });
}

async function observedAs(where: string, value: unknown): Promise<{ position: number; entityId: string } | undefined> {
  const { rows } = await ledger.pool.query(
    `select position::int, entity_id as "entityId" from view.observation where ${where} and entity_id is not null order by position limit 1`,
    [value],
  );
  return rows[0];
}

const linkTo = (observation: number, entityId: string, strongAs: number, because: Link['because']): Link => ({
  observation,
  entityId,
  because,
  sameAs: observation,
  strongAs,
});

/** Everything that may happen. What isn't possible at that moment is refused by the ledger, or does nothing. */
const STEPS = {
  report: (history, { by, of, which, yes }) => {
    const member = history.platform(by);
    const account = history.account(of, member);
    const shops = [shopOf(`${account}-s1`), ...(which % 3 === 0 ? [shopOf(`${account}-s2`)] : [])];
    const status = yes || which % 4 > 0 ? 'active' : 'closed';
    return history.send(member, reported(member, account, history.identity(of), { shops, status }), 'report');
  },
  delist: (history, step) => file(history, step, false, accountOf(history, step)),
  hold: (history, step) => file(history, step, true, accountOf(history, step)),
  /** Its subject objects; grounds that are new let him do so again. */
  appeal: async (history, { which }) => {
    const grounds = 'cured';
    const found = await caseOf(history, which, (state) => !appealRefusal(state, grounds));
    if (!found) return;
    const appealId = `A${randomUUID().replaceAll('-', '')}`;
    const filedAt = toBeijingTime(new Date());
    const about = { ...found.about, appealId };
    const filed = { ...about, grounds, evidence: [], proved: 'code', filedAt };
    await say(EVENT_TYPES.appealFiled, found.stream, filed, 'appeal');
    const deadline = { ...about, ...appealDeadline(loadWorkingDays(), filedAt) };
    await say(EVENT_TYPES.appealDeadlineSet, found.stream, deadline, 'deadline');
  },
  /** By a reviewer. */
  stay: async (history, { which }) => {
    const found = await caseOf(history, which, ({ life }) => life.status === 'disputed');
    const appealId = found?.state.appeal?.appealId;
    if (!found) return;
    await say(EVENT_TYPES.listingStayed, found.stream, { ...found.about, appealId, by: 'reviewer' }, 'stay');
  },
  /** By the clock: nobody decided in time. */
  outlast: () => tick(APPEAL_OVER_MS),
  uphold: (history, { which }) => decideAppeal(history, which, 'upheld'),
  overturn: (history, { which }) => decideAppeal(history, which, 'overturned'),
  correct: (history, { which }) => decideAppeal(history, which, 'corrected'),
  hear: async (history, { which, yes }) => {
    const held = pick(
      history.filed.filter((one) => one.held),
      which,
    );
    if (!held) return;
    const at = (ms: number): string => new Date(Date.now() - ms).toISOString();
    const hearing = { notifiedAt: at(4 * 24 * HOUR_MS), endedAt: at(60_000), answer: 'considered' };
    const data = { caseId: held.id, hearing, ...(yes && { cause: 'appealUpheld' }) };
    await history.send(held.by, submission(held.by, SUBMITTED_TYPES.caseHeard, data), yes ? 'convince' : 'hear');
  },
  reinstate: async (history, { which, yes }) => {
    const one = pick(history.filed, which);
    if (!one) return;
    const whose = yes ? { delistingId: one.id } : { merchantId: one.account };
    const raw = ending(one.by, SUBMITTED_TYPES.merchantReinstated, { ...whose, cause: 'wrongFinding' });
    await history.send(one.by, raw, 'reinstate');
  },
  annul: async (history, { which }) => {
    const one = pick(history.filed, which);
    if (!one) return;
    const data = { listingId: one.listingId, cause: 'annulled' };
    await history.send('regulator-x', ending('regulator-x', SUBMITTED_TYPES.listingEnded, data), 'annul');
  },
  register: (history, { of, which }) => {
    const data = {
      list: 'abnormalOperation',
      identity: history.identity(of % 2),
      decisionNo: `示例异〔2026〕${history.run}${which}号`,
      decidedBy: 'officer-1',
      decidedAt: new Date(Date.now() - 60_000).toISOString(),
    };
    return history.send('regulator-x', submission('regulator-x', SUBMITTED_TYPES.registryListed, data), 'register');
  },
  deregister: (history, { of }) => {
    const decidedAt = new Date(Date.now() - 60_000).toISOString();
    const data = { list: 'abnormalOperation', identity: history.identity(of % 2), decidedAt };
    return history.send('regulator-x', submission('regulator-x', SUBMITTED_TYPES.registryRemoved, data), 'deregister');
  },
  expire: () => tick(2 * HOUR_MS),
  /** An account of which nothing is known but a name; later it turns out to be a merchant's, and not to be. */
  stray: async (history: History, { by }: Step): Promise<void> => {
    const member = history.platform(by);
    if (history.strays.has(member)) return;
    const { account, identity } = history.stray(member);
    const receipt = await history.send(member, reported(member, account, identity), 'stray');
    await ledger.settled();
    const observed = receipt && (await observedAs('position = $1', receipt.position));
    if (observed) history.strays.set(member, { positions: [observed.position], home: observed.entityId });
  },
  /** It is delisted under its name: whom the listing is about, and under which credit code, changes with who it is. */
  delistStray: async (history: History, step: Step): Promise<void> => {
    await STEPS.stray(history, step);
    const member = history.platform(step.by);
    const stray = history.strays.get(member);
    const receipt = stray && (await file(history, step, false, history.stray(member)));
    if (!receipt) return;
    await ledger.settled();
    const observed = await observedAs('position = $1', receipt.position);
    if (observed?.entityId !== (stray.at ?? stray.home)) return;
    stray.positions.push(observed.position);
    did('delistStray');
  },
  merge: async (history, step) => {
    const { by, of } = step;
    await STEPS.stray(history, step);
    const stray = history.strays.get(history.platform(by));
    if (!stray || stray.at !== undefined) return;
    await ledger.settled();
    const merchant = await observedAs('merchant_id like $1', `${history.name}-${of % 2}-%`);
    const strays = [...history.strays.values()].filter(({ home }) => home === stray.home);
    if (!merchant || merchant.entityId === stray.home || strays.length > 1) return;
    stray.at = merchant.entityId;
    const links = stray.positions.map((position) =>
      linkTo(position, merchant.entityId, merchant.position, [{ field: 'phone', grade: 'strong' }]),
    );
    await regroup(EVENT_TYPES.entityMerged, { entityId: merchant.entityId, retired: [stray.home], links });
    did('merge');
  },
  split: async (history, { which }) => {
    const merged = [...history.strays.values()].filter(({ at }) => at !== undefined);
    const stray = pick(merged, which);
    if (stray?.at === undefined) return;
    const [first = 0] = stray.positions;
    const links = stray.positions.map((position) => linkTo(position, stray.home, first, []));
    await regroup(EVENT_TYPES.entitySplit, { entityId: stray.at, into: [stray.home], links });
    delete stray.at;
    did('split');
  },
  suspend: async (history, { by }) => {
    const member = history.platform(by);
    if (history.suspended.has(member)) return;
    history.suspended.add(member);
    await history.membership(EVENT_TYPES.memberSuspended, member, 'suspend');
  },
  resume: async (history, { which }) => {
    const member = pick([...history.suspended], which);
    if (member === undefined) return;
    history.suspended.delete(member);
    await history.membership(EVENT_TYPES.memberResumed, member, 'resume');
  },
  join: async (history) => {
    if (history.joiner !== undefined) return;
    history.joiner = `platform-${history.name}`;
    await ledger.admit(history.joiner);
    did('join');
  },
  again: async (history, { which }) => {
    const earlier = pick(history.sent, which);
    if (!earlier) return;
    const { by, raw } = earlier;
    const role = by === 'regulator-x' ? 'regulator' : 'platform';
    const [receipt] = await ledger.intake.submitAll({ memberId: by, role }, [raw]);
    if (receipt?.status === 'duplicate') did('again');
  },
  /** Delistings wait from here on, as where too much is unsent. */
  backlog: () => Promise.resolve(ledger.holdDelistings()),
  letGo: () => ledger.letDelistingsGo(),
  settle: () => ledger.settled(),
} satisfies Record<string, Take>;
type Kind = keyof typeof STEPS;

/** Reports and delistings come more often than what undoes them. */
const WEIGHTS: Partial<Record<Kind, number>> = {
  report: 5,
  delist: 5,
  hold: 3,
  hear: 3,
  reinstate: 3,
  merge: 5,
  split: 4,
  delistStray: 2,
  appeal: 6,
  stay: 2,
  uphold: 3,
  correct: 2,
  backlog: 2,
};

/** What seldom comes together by chance. */
const CHAINS: Kind[][] = [
  ['delist', 'appeal', 'settle', 'stay', 'uphold'],
  ['delist', 'appeal', 'settle', 'outlast', 'settle', 'correct'],
  ['delist', 'appeal', 'correct', 'settle', 'suspend', 'appeal', 'correct'],
  ['report', 'delistStray', 'merge', 'settle', 'suspend', 'split'],
];

/** One way for everything that may happen to happen: what chance leaves out in some run is shown in every run. */
const sure = (all: Kind[], more: Partial<Step> = {}): [Step[]] => [
  all.map((kind) => ({ kind, by: 0, of: 0, which: 0, yes: false, ...more })),
];
const SURE: [Step[]][] = [
  sure(['report', 'delist', 'appeal', 'uphold', 'appeal', 'overturn']),
  sure(['report', 'delist', 'appeal', 'stay', 'uphold', 'appeal', 'correct']),
  sure(['report', 'delist', 'appeal', 'settle', 'outlast', 'settle', 'correct']),
  sure(['report', 'delist', 'appeal', 'stay', 'overturn']),
  sure(['report', 'hold', 'hear', 'reinstate', 'delist', 'annul']),
  sure(['report', 'hold', 'hear', 'delist', 'settle', 'expire'], { yes: true }),
  sure(['report', 'delistStray', 'merge', 'settle', 'split']),
  sure(['report', 'register', 'suspend', 'deregister', 'resume', 'join', 'again']),
];

const kinds: fc.Arbitrary<readonly Kind[]> = fc.oneof(
  ...(Object.keys(STEPS) as Kind[]).map((kind) => ({ weight: WEIGHTS[kind] ?? 1, arbitrary: fc.constant([kind]) })),
  ...CHAINS.map((chain) => ({ weight: 1, arbitrary: fc.constant(chain) })),
);

const taking: fc.Arbitrary<Omit<Step, 'kind'>> = fc.record({
  by: fc.nat(PLATFORMS.length),
  of: fc.nat(MERCHANTS - 1),
  which: fc.nat(11),
  yes: fc.boolean(),
});

/** In a chain each step has the same merchant, and a platform of its own where it is to be another. */
const steps: fc.Arbitrary<Step[]> = fc
  .array(fc.tuple(kinds, taking), { minLength: 10, maxLength: STEPS_MAX })
  .map((all) =>
    all.flatMap(([chain, one]) =>
      chain.map((kind) => ({ kind, ...one, ...(kind === 'suspend' && chain.length > 1 && { by: one.by + 1 }) })),
    ),
  );

/** Lets everything come to rest, everybody active; then what each platform sees is compared with what the log says. */
async function end(history: History): Promise<void> {
  await ledger.letDelistingsGo();
  for (const member of history.suspended) await history.membership(EVENT_TYPES.memberResumed, member, 'resume');
  await ledger.settled();
  for (;;) {
    const events = await ledger.log.read({ after: model.position, limit: 1_000 });
    if (events.length === 0) break;
    for (const event of events) model.apply(event);
  }
}

test('P09, P13: after any history each platform sees of its shops what the log says, was granted what it heard (I7), and heard every end', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const history = new History();
      await end(history);
      // Whether one transaction links, folds and tells, or each reader has its own, comes to the same.
      await ledger.runAnew({ apart: history.run % 2 === 0 });
      model.since = model.position + 1;
      model.problems.length = 0;
      for (const one of all) await STEPS[one.kind](history, one);
      await end(history);
      const differences = model.differences();
      if (history.joiner !== undefined) await history.membership(EVENT_TYPES.memberRemoved, history.joiner, 'leave');
      expect(differences).toEqual([]);
    }),
    { examples: SURE, numRuns: SURE.length + HISTORIES, endOnFailure: true },
  );
  const never = (
    [
      'report',
      'delist',
      'hear',
      'convince',
      'reinstate',
      'annul',
      'deregister',
      'expire',
      'merge',
      'split',
      'delistStray',
      'appeal',
      'stay',
      'stay by the clock',
      'upheld',
      'upheld after a stay',
      'corrected',
      'corrected after a stay',
      'overturned',
      'resume',
      'join',
      'again',
    ] as const
  ).filter((what) => !taken.has(what));
  expect(never).toEqual([]);
  const parked = (await ledger.readerStatus()).filter(({ parkedEvents, stopped }) => parkedEvents > 0 || stopped);
  expect(parked).toEqual([]);
}, 300_000);

test('I4, I5: after all of them the numbers are dense, and a rebuild gives every table as it is', async () => {
  await ledger.settled();
  const { rows: gaps } = await owner.query(
    `select stream from log.entry where stream like 'notices/%'
     group by stream having max(version) + 1 <> count(*) or bool_or((entry::jsonb #>> '{data,seq}')::int <> version)`,
  );
  expect(gaps).toEqual([]);
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
});
