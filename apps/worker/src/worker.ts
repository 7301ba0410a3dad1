import {
  EventLog,
  inTransaction,
  isTransient,
  runReader,
  type Reader,
  type ReaderDefinition,
} from '@liandun/event-log';
import { DatabaseClock, Intake } from '@liandun/intake';
import { zhMatcher } from '@liandun/identity';
import {
  isProtected,
  isRemoved,
  MatchIndex,
  renewIndex,
  type GenerationProgress,
  type Preview,
} from '@liandun/matching';
import { Inbox, kafkaAdmin, Relay, relayLag, unsentNotices, type KafkaAdmin } from '@liandun/messaging';
import {
  checkpointFile,
  HaltWatch,
  runPublisher,
  tlogReader,
  Witnesses,
  type Halt,
  type Publisher,
} from '@liandun/tlog';
import { backoffMs, pause } from '@liandun/sdk';
import {
  ERASURE_RIDER,
  erasureRider,
  rotate,
  Vault,
  VAULT_RIDER,
  vaultRider,
  type RotationProgress,
  type VaultEvent,
} from '@liandun/vault';
import {
  BREAKER_GATE,
  breakerGate,
  activeMember,
  FollowedReasonCodes,
  liveKeys,
  answersAfter,
  lastDisposition,
  restsOnDecision,
} from '@liandun/views';
import { webhookBacklog, Webhooks } from '@liandun/webhooks';
import { Injectable } from '@nestjs/common';
import pg from 'pg';
import type { Logger } from 'pino';
import { accessReader, activeSenders, applyMembership } from './access.js';
import { publishersReader } from './publishers.js';
import { matchedReader, tendInquiries } from './matched.js';
import { LifeClock } from './clock.js';
import { WorkerMetrics } from './metrics.js';
import { notifyReader } from './notify.js';
import { delistReader, type DelistPause } from './notify/delist.js';
import { activateMatcher, judgeAgain, reconcileReader } from './reconcile.js';
import { Retention } from './retention.js';
import type { Part, WorkerSettings } from './settings.js';

const INQUIRIES_TENDED_EVERY_MS = 60_000;

export interface PartStatus {
  name: string;
  healthy: boolean;
  detail: object;
}

/** All readers of the log that this process runs, and what carries their outcomes to Kafka. */
@Injectable()
export class Worker {
  readonly metrics = new WorkerMetrics();
  private readonly pool: pg.Pool;
  private readonly log: EventLog;
  private readonly clock: DatabaseClock;
  private readonly vault: Vault;
  /** One for all parts: what an erasure makes it forget is in no other memory of this process. */
  private readonly index: MatchIndex;
  private readonly readers: Reader[] = [];
  private admin: KafkaAdmin | undefined;
  private relay: Relay | undefined;
  private webhooks: Webhooks | undefined;
  private retention: Retention | undefined;
  private lifeClock: LifeClock | undefined;
  private inbox: Inbox | undefined;
  private publisher: Publisher | undefined;
  private witnesses: Witnesses | undefined;
  private readonly halts: HaltWatch;
  private readonly stopping = new AbortController();
  private rotating: Promise<void> | undefined;
  private tending: Promise<void> | undefined;
  private rotation: RotationProgress | { failed: string } | undefined;
  private matching: GenerationProgress | (Preview & { held: boolean }) | { failed: string } | undefined;
  private fatal: Error | undefined;
  private delistPause: DelistPause | undefined;

  constructor(
    private readonly settings: WorkerSettings,
    private readonly logger: Logger,
    private readonly onFatal: (error: Error) => void,
  ) {
    this.pool = new pg.Pool({
      connectionString: settings.databaseUrl,
      max: 12,
      application_name: 'liandun-worker',
      // Statements that don't wait for one another go out together. The types don't know the option yet.
      ...({ pipeline: true } as object),
    });
    // Readers only ever look rows up, and their plans are kept: one made while a table was small must not scan it later, and
    // planning a statement anew each time would cost more than carrying it out.
    this.pool.on('connect', (client) => {
      const planning = 'set enable_seqscan = off; set plan_cache_mode = force_generic_plan; set jit = off';
      client.query(planning).catch(this.warn('a connection could not be set up'));
      // Its statement has failed already: that it says so again, perhaps to nobody, must not end the process.
      client.on('error', () => undefined);
    });
    this.pool.on('error', (error) => logger.warn({ problem: error.message }, 'an idle database connection broke'));
    this.log = new EventLog({
      pool: this.pool,
      riders: { [VAULT_RIDER]: vaultRider, [ERASURE_RIDER]: erasureRider },
      gates: { [BREAKER_GATE]: breakerGate },
    });
    this.clock = new DatabaseClock(this.pool);
    this.vault = new Vault(settings.vaultKeys);
    this.index = new MatchIndex(zhMatcher, this.vault);
    this.halts = new HaltWatch(this.pool, (halt) => this.onHalt(halt));
    this.metrics.watchReaders(() => this.readers);
  }

  /**
   * Starts the parts; resolves when Kafka has the members' topics and every reader runs. Where another entry would fork the log,
   * nothing that appends is started: status() says why, and the process is started again once that is remedied.
   */
  async start(): Promise<void> {
    if (this.settings.tlog) await this.startPublishing(this.settings.tlog);
    await this.halts.start();
    if (this.halts.refusal) return;
    await this.clock.start();
    if (this.runs('inbox')) this.inbox = this.newInbox();
    if (this.runs('access')) await this.startAccess();
    else if (this.inbox) void this.inbox.follow(await activeSenders(this.pool));
    if (this.runs('relay')) {
      const onProblem = this.warn('the relay tries again');
      this.relay = new Relay({ pool: this.pool, brokers: this.settings.brokers, onProblem }).start();
      this.metrics.watchRelay(() => relayLag(this.pool));
    }
    if (this.runs('webhooks')) this.startWebhooks();
    if (this.runs('clock')) {
      this.startLifeClock();
      const onProblem = this.warn('what was kept its term is deleted later');
      this.retention = new Retention({ pool: this.pool, log: this.log, onProblem }).start();
    }
    const telling = this.runs('notify') ? this.readNotify() : [];
    if (this.runs('reconcile')) {
      this.read(reconcileReader(this.log, this.index), telling);
      this.rotating = this.rotateKeys().then(() => this.renewMatching());
    }
    if (this.runs('notify')) {
      this.read(matchedReader(this.log, this.index, this.vault));
      this.read(publishersReader(this.log));
      this.tending = this.tendInquiries();
    }
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    this.halts.stop();
    this.stopping.abort();
    await Promise.all([this.rotating, this.tending, ...this.readers.map((reader) => reader.stop())]);
    await Promise.all([
      this.lifeClock?.stop(),
      this.retention?.stop(),
      this.relay?.stop(),
      this.webhooks?.stop(),
      this.inbox?.stop(),
      this.publisher?.stop(),
      this.witnesses?.stop(),
    ]);
    await this.admin?.close();
    this.clock.stop();
    await this.log.close();
    await this.pool.end();
  }

  async status(): Promise<PartStatus[]> {
    const readers = await Promise.all(this.readers.map((reader) => reader.status()));
    const parts: PartStatus[] = readers.map(({ name, ...detail }) => ({
      name,
      healthy: detail.stopped === undefined,
      detail: name === 'delist' && this.delistPause ? { ...detail, waitsFor: this.delistPause } : detail,
    }));
    if (this.relay) parts.push({ name: 'relay', healthy: true, detail: this.relay.status() });
    if (this.lifeClock) {
      const detail = this.lifeClock.status();
      // What it couldn't do it tries again: unknown years are told by the detail, the log and the metrics.
      parts.push({ name: 'clock', healthy: true, detail });
    }
    if (this.webhooks) parts.push({ name: 'webhooks', healthy: true, detail: this.webhooks.status() });
    if (this.inbox) parts.push({ name: 'inbox', healthy: this.fatal === undefined, detail: this.inbox.status() });
    if (this.publisher) {
      const detail = this.publisher.status();
      parts.push({ name: 'publisher', healthy: detail.stopped === undefined, detail });
    }
    if (this.witnesses) {
      const detail = this.witnesses.status();
      // An alarm that halts nothing is told by the detail and the metrics.
      parts.push({ name: 'witnesses', healthy: this.witnesses.refusal === undefined, detail });
    }
    if (this.rotation)
      parts.push({ name: 'keyRotation', healthy: !('failed' in this.rotation), detail: this.rotation });
    if (this.matching) parts.push({ name: 'matching', healthy: !('failed' in this.matching), detail: this.matching });
    if (this.halts.halt) parts.push({ name: 'log', healthy: false, detail: this.halts.halt });
    return parts;
  }

  /** What takes back is issued by whoever folds; delistings are told of behind it, at rest in the same transaction. */
  private readNotify(): Reader[] {
    const { pool, log } = this;
    const { unsentMax: max } = this.settings;
    const onIssued = (issued: Parameters<Worker['observe']>[0]): void => this.observe(issued);
    const delist = this.read(
      delistReader(log, {
        unsent: { count: () => unsentNotices(pool, max), max },
        folded: (position) => notify.reached(position),
        onIssued,
        onPause: (why) => (this.delistPause = why),
      }),
    );
    const notify = this.read(notifyReader(log, onIssued), [delist]);
    this.metrics.watchDelist(() => this.delistPause);
    this.metrics.watchAnswers(
      () => lastDisposition(this.pool),
      (position, limit) => answersAfter(this.pool, position, limit),
    );
    return [notify, delist];
  }

  private startLifeClock(): void {
    const { pool, log } = this;
    const { workingDays } = this.settings;
    this.lifeClock = new LifeClock({
      pool,
      log,
      workingDays,
      onProblem: this.warn('what is due by the clock is tried again'),
      onUnknownYears: (years, listingId) =>
        this.logger.warn(
          { years, listingId, calendar: workingDays.version },
          'a deadline was counted by weekends alone: name a file with these years in LIANDUN_WORKING_DAYS',
        ),
    }).start();
    this.metrics.watchClock(() => this.lifeClock!.status());
  }

  private startWebhooks(): void {
    const { pool } = this;
    const { vaultKeys, webhookNetworks: allowed } = this.settings;
    const onProblem = this.warn('webhooks are tried again');
    this.webhooks = new Webhooks({ pool, kms: vaultKeys.kms, allowed, onProblem }).start();
    this.metrics.watchWebhooks(() => webhookBacklog(pool));
  }

  private async startPublishing({ key, copyPath, policy }: NonNullable<WorkerSettings['tlog']>): Promise<void> {
    const { pool, logger } = this;
    this.read(tlogReader());
    const witnesses = policy && new Witnesses({ pool, log: key, policy, logger });
    const copies = [checkpointFile(copyPath)];
    this.publisher = runPublisher({ pool, log: key, copies, logger, ...(witnesses && { witnesses }) });
    this.metrics.watchPublisher(() => this.publisher!.status());
    await this.publisher.looked;
    if (!witnesses) return;
    this.witnesses = witnesses.start();
    this.metrics.watchWitnesses(() => witnesses.status());
  }

  /** Ends whatever appends as soon as another entry would fork the log. */
  private onHalt(halt: Halt | undefined): void {
    if (!halt) return;
    const { code, message, messageZh } = halt;
    this.logger.error({ code, remedy: message, remedyZh: messageZh }, 'the log is not continued');
    if (!this.halts.refusal) return;
    const parts = [...this.readers, ...[this.inbox, this.lifeClock, this.retention].flatMap((part) => part ?? [])];
    void Promise.all(parts.map((part) => part.stop())).catch(this.warn('a part did not stop'));
  }

  private runs(part: Part): boolean {
    return this.settings.parts.has(part);
  }

  private read(definition: ReaderDefinition, carries: readonly Reader[] = []): Reader {
    const reader = runReader(this.pool, definition, { logger: this.logger, carries });
    this.readers.push(reader);
    return reader;
  }

  private async startAccess(): Promise<void> {
    const admin = kafkaAdmin(this.settings.brokers);
    this.admin = admin;
    // Nothing waits for the inboxes: after a crash Kafka lets nobody join for a while.
    const follow = (members: string[]): void => void this.inbox?.follow(members);
    // Once at the start, for a broker that has lost its state; then at every change.
    await applyMembership(this.pool, admin, follow);
    this.read(accessReader(this.pool, admin, follow));
  }

  /** Where the key file has newer versions than some entries. Ended in the middle, it goes on at the next start. */
  private async rotateKeys(): Promise<void> {
    const entriesAt = async (positions: number[]): Promise<VaultEvent[]> =>
      (await Promise.all(positions.map((position) => this.log.at(position)))).flatMap((event) => event ?? []);
    const rotating = (): Promise<void> =>
      rotate({
        pool: this.pool,
        vault: this.vault,
        entriesAt,
        signal: this.stopping.signal,
        onProgress: (progress) => {
          this.rotation = progress;
          this.metrics.rotated(progress);
          this.logger.info(progress, progress.done ? 'keys were rotated' : 'keys are rotating');
        },
      });
    await this.untilItCan(rotating, 'keys are rotated once the database is back').catch((error: Error) => {
      this.rotation = { failed: error.message };
      this.warn('keys could not be rotated: the next start tries again')(error);
    });
  }

  /**
   * Where the matcher or the blind index's key is a newer one: makes the matcher's index anew, says what that changes, activates
   * it, and judges everything again. Ended in the middle, it goes on at the next start.
   */
  private async renewMatching(): Promise<void> {
    await this.untilItCan(() => this.renewed(), 'matching is renewed once the database is back').catch(
      (error: Error) => {
        this.matching = { failed: error.message };
        this.warn('the matcher’s index could not be renewed: the next start tries again')(error);
      },
    );
  }

  /** Work of the start that can be begun again anywhere: a database that is away for a moment must not leave it undone. */
  private async untilItCan(work: () => Promise<void>, what: string): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await work();
        return;
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.warn(what)(error as Error);
        await pause(backoffMs(failures, 100, 5_000), signal);
      }
    }
  }

  private async renewed(): Promise<void> {
    const { pool, log, index, logger, settings } = this;
    const { signal } = this.stopping;
    const onProgress = (progress: GenerationProgress): void => {
      this.matching = progress;
      logger.info(progress, progress.done ? 'the matcher’s index is made' : 'the matcher’s index is being made anew');
    };
    const preview = await renewIndex({ pool, index, signal, onProgress, hold: settings.holdMatcher });
    if (preview) this.matching = { ...preview, held: settings.holdMatcher };
    if (preview) logger.info(this.matching, 'what the newer matcher or key changes');
    if (signal.aborted || (preview && settings.holdMatcher)) return;
    const activated = await activateMatcher(log, index.matcher.version, this.clock.now().toISOString());
    const judge = (client: pg.PoolClient): Promise<number> => judgeAgain(client, log, index, activated);
    while (!signal.aborted && (await inTransaction(pool, judge)) > 0);
  }

  /** Forgets inquiries when their time has come, and moves the others with the keys. */
  private async tendInquiries(): Promise<void> {
    const { pool, index, vault } = this;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await tendInquiries(pool, index, vault).catch(this.warn('inquiries could not be tended'));
      await pause(INQUIRIES_TENDED_EVERY_MS, signal);
    }
  }

  private newInbox(): Inbox {
    const index = new MatchIndex(zhMatcher, this.vault);
    const intake = new Intake({
      log: this.log,
      vault: this.vault,
      clock: this.clock.now,
      keysOf: (memberId) => liveKeys(this.pool, memberId),
      codes: new FollowedReasonCodes(this.pool),
      workingDays: this.settings.workingDays,
      restsOn: (decision) => restsOnDecision(this.pool, decision),
      breaker: BREAKER_GATE,
      protects: (identity) => isProtected(this.pool, index, identity),
      removed: (identity, decision) => isRemoved(this.pool, index, identity, decision),
    });
    return new Inbox({
      brokers: this.settings.brokers,
      keys: [this.settings.inboxKey],
      ...(this.settings.inboxGroup ? { group: this.settings.inboxGroup } : {}),
      submit: async (memberId, events) => {
        const member = await activeMember(this.pool, memberId);
        if (!member) throw new Error(`${memberId} is no active member: its inbox waits`);
        return intake.submitAll({ memberId, ...member }, events);
      },
      onProblem: this.warn('an inbox waits'),
      onFatal: (error) => {
        this.fatal = error;
        this.onFatal(error);
      },
    });
  }

  private observe(issued: { action: string; acceptedAt: string }): void {
    this.metrics.notices.inc({ action: issued.action });
    const direction = ['reopen', 'lift', 'correct'].includes(issued.action) ? 'back' : 'out';
    const seconds = (this.clock.now().getTime() - Date.parse(issued.acceptedAt)) / 1000;
    this.metrics.acceptedToNotice.observe({ direction }, Math.max(0, seconds));
  }

  private warn(what: string): (error: Error) => void {
    return (error) => this.logger.warn({ problem: error.message }, what);
  }
}
