import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  type Agreement,
  type MemberRole,
  type NoticeIssued,
  type Receipt,
} from '@liandun/contracts';
import {
  EVENT_LOG_MIGRATIONS,
  EventLog,
  migrate,
  runReader,
  type Reader,
  type ReaderStatus,
  type StoredEvent,
} from '@liandun/event-log';
import { Intake } from '@liandun/intake';
import { zhMatcher } from '@liandun/identity';
import {
  isProtected,
  isRemoved,
  MATCHING_MIGRATIONS,
  MatchIndex,
  SCREENING_RIDER,
  screeningRider,
} from '@liandun/matching';
import { MESSAGING_MIGRATIONS } from '@liandun/messaging';
import { TLOG_MIGRATIONS } from '@liandun/tlog';
import { generateVaultKeys, Vault, VAULT_MIGRATIONS, VAULT_RIDER, vaultRider } from '@liandun/vault';
import {
  ACCESS_MIGRATIONS,
  ACCESS_RIDER,
  accessRider,
  BREAKER_GATE,
  breakerGate,
  liveKeys,
  restsOnDecision,
  VIEW_MIGRATIONS,
  FollowedReasonCodes,
} from '@liandun/views';
import { WEBHOOK_MIGRATIONS } from '@liandun/webhooks';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { notifyReader } from '../../apps/worker/src/notify.js';
import { delistReader } from '../../apps/worker/src/notify/delist.js';
import { publishersReader } from '../../apps/worker/src/publishers.js';
import { matchedReader } from '../../apps/worker/src/matched.js';
import { reconcileReader } from '../../apps/worker/src/reconcile.js';
import { AGREEMENT } from './agreement.js';
import { asApp, createTestDatabase } from './database.js';

export const ALL_MIGRATIONS = [
  ...EVENT_LOG_MIGRATIONS,
  ...VAULT_MIGRATIONS,
  ...ACCESS_MIGRATIONS,
  ...VIEW_MIGRATIONS,
  ...MATCHING_MIGRATIONS,
  ...MESSAGING_MIGRATIONS,
  ...TLOG_MIGRATIONS,
  ...WEBHOOK_MIGRATIONS,
];

/** A ledger without its wires: real log, vault, intake and readers on a database of its own. */
export class TestLedger {
  private readers: Reader[];

  private constructor(
    readonly url: string,
    readonly pool: pg.Pool,
    readonly log: EventLog,
    readonly vault: Vault,
    readonly intake: Intake,
    private readonly run: (apart: boolean) => Reader[],
    private readonly delisting: { held: boolean },
    private readonly drop: () => Promise<void>,
  ) {
    this.readers = run(false);
  }

  static async start(): Promise<TestLedger> {
    const { url, drop } = await createTestDatabase();
    await migrate(url, ALL_MIGRATIONS);
    const pool = new pg.Pool({ connectionString: asApp(url), max: 8, ...({ pipeline: true } as object) });
    pool.on('error', () => undefined); // the database is dropped with force
    const vault = new Vault(generateVaultKeys());
    const log = new EventLog({
      pool,
      riders: { [VAULT_RIDER]: vaultRider, [SCREENING_RIDER]: screeningRider, [ACCESS_RIDER]: accessRider },
      gates: { [BREAKER_GATE]: breakerGate },
    });
    const index = new MatchIndex(zhMatcher, vault, { records: 20, packedBytes: 20_000 });
    const intake = new Intake({
      log,
      vault,
      clock: () => new Date(),
      keysOf: (memberId) => liveKeys(pool, memberId),
      codes: new FollowedReasonCodes(pool),
      restsOn: (decision) => restsOnDecision(pool, decision),
      protects: (identity) => isProtected(pool, index, identity),
      removed: (identity, decision) => isRemoved(pool, index, identity, decision),
    });
    const delisting = { held: false };
    const carrying = (apart: boolean): Reader[] => {
      const delist = runReader(
        pool,
        delistReader(log, {
          folded: (position) => notify.reached(position),
          unsent: { count: () => Promise.resolve(delisting.held ? 1 : 0), max: 1 },
        }),
      );
      const notify = runReader(pool, notifyReader(log), { carries: apart ? [] : [delist] });
      const reconcile = runReader(pool, reconcileReader(log, index), { carries: apart ? [] : [notify, delist] });
      const others = [matchedReader(log, index, vault), publishersReader(log)];
      return [notify, delist, reconcile, ...others.map((definition) => runReader(pool, definition))];
    };
    return new TestLedger(url, pool, log, vault, intake, carrying, delisting, drop);
  }

  /** Starts the readers anew. `apart`: each commits by itself, as in processes of their own or where much is before them. */
  async runAnew({ apart }: { apart: boolean }): Promise<void> {
    await Promise.all(this.readers.map((reader) => reader.stop()));
    this.readers = this.run(apart);
  }

  /** `agreement`: a platform has one for everything unless told; `undefined` is none. */
  async admit(
    memberId: string,
    role: MemberRole = 'platform',
    subscription: object = {},
    { agreement }: { agreement?: Agreement | undefined } = { agreement: AGREEMENT },
  ): Promise<void> {
    await this.membership(EVENT_TYPES.memberAdmitted, {
      memberId,
      name: memberId,
      role,
      keys: [],
      subscription,
      ...(role === 'platform' && agreement && { agreement }),
    });
  }

  async membership(type: string, data: { memberId: string; [field: string]: unknown }): Promise<void> {
    await this.log.append({
      events: [
        {
          id: randomBytes(8).toString('hex'),
          source: LEDGER_SOURCE,
          type,
          time: new Date().toISOString(),
          stream: `member/${data.memberId}`,
          data,
          fingerprint: randomBytes(32),
        },
      ],
    });
  }

  /** Submits and waits until everything that follows from it has been decided. */
  async submit(memberId: string, raws: object[], role: MemberRole = 'platform'): Promise<Receipt[]> {
    const receipts = await this.intake.submitAll({ memberId, role }, raws);
    await this.settled();
    return receipts;
  }

  /** From now on delistings wait, as where too much is unsent, until they are let go. */
  holdDelistings(): void {
    this.delisting.held = true;
  }

  /** Lets them go, and waits until everybody was told. */
  async letDelistingsGo(): Promise<void> {
    this.delisting.held = false;
    await this.settled();
  }

  /** Waits until the readers have seen the whole log and appended nothing more; not for delistings that are held. */
  async settled(): Promise<void> {
    const waitedFor = this.readers.filter(({ name }) => name !== 'delist' || !this.delisting.held);
    for (let before = -2; ;) {
      const head = await this.log.head();
      if (head === before) return;
      await Promise.all(waitedFor.map((reader) => reader.reached(head)));
      before = head;
    }
  }

  /** The notices to a member, oldest first. */
  async notices(member: string): Promise<NoticeIssued[]> {
    const events = await this.log.readStream(`notices/${member}`, { limit: 1_000 });
    return events.map((event: StoredEvent) => event.data as NoticeIssued);
  }

  readerStatus(): Promise<ReaderStatus[]> {
    return Promise.all(this.readers.map((reader) => reader.status()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.readers.map((reader) => reader.stop()));
    await this.log.close();
    await this.pool.end();
    await this.drop();
  }
}
