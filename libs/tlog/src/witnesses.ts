import type { ReaderLogger } from '@liandun/event-log';
import {
  consistencyProof,
  EMPTY_ROOT,
  formatCheckpoint,
  signNote,
  tileNodes,
  treeRoot,
  type SignerKey,
} from '@liandun/transparency-log';
import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { endAlarm, openAlarms, recordAlarm, type Alarm } from './alarms.js';
import { askWitness, checkpointOf, WitnessFault } from './ask-witness.js';
import { cosignedSizes, storeCosignature } from './cosignatures.js';
import { TlogError } from './errors.js';
import { isEnough, type PolicyWitness, type WitnessPolicy } from './policy.js';
import { latestCheckpoint, type PublishedCheckpoint } from './published.js';
import { loadEdge, readTiles } from './tree-store.js';

const INTERVAL_MS = 300;
/** How long witnesses are given to agree on one checkpoint before a newer one takes its place. */
const ROUND_MS_MAX = 5_000;
const ANSWER_MS_MAX = 10_000;
const ANSWER_AT_START_MS_MAX = 3_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;
// A witness's size may change between two answers only where somebody else asks it too.
const CONFLICTS_MAX = 5;

export interface WitnessesOptions {
  pool: pg.Pool;
  log: SignerKey;
  policy: WitnessPolicy;
  logger?: ReaderLogger;
}

/** For health and metrics. */
export interface WitnessStatus {
  name: string;
  /** The newest checkpoint that it has cosigned. */
  cosignedSize: number;
  /** What it holds against the log. */
  alarm?: Alarm['code'];
  message?: string;
  /** Why it gave no cosignature when it was asked last. */
  problem?: string;
}

interface Asked {
  witness: PolicyWitness;
  /** Of what was published. */
  cosignedSize?: number;
  alarm?: Alarm;
  problem?: string;
}

/**
 * Asks the policy's witnesses to cosign what is published. Each is asked by itself, so a slow one holds nobody up; all are asked
 * for the same checkpoint until enough have agreed on it. What a witness holds against the log is recorded as an alarm. It ends
 * signing (`refusal`) where a checkpoint under the log's own key proves it, and where without those who object no checkpoint could
 * have enough cosignatures any more; the word of fewer is an alarm only, for one witness must not stop the ledger by lying.
 */
export class Witnesses {
  private asked: Asked[] | undefined;
  private target: { checkpoint: PublishedCheckpoint; sinceMs: number; reached: boolean } | undefined;
  private targetChanged = Promise.withResolvers<void>();
  private witnessedSize = 0;
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: WitnessesOptions) {}

  start(): this {
    this.running = this.run();
    return this;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.targetChanged.resolve();
    await this.running;
  }

  status(): { witnessedSize: number; witnesses: WitnessStatus[] } {
    const witnesses = (this.asked ?? []).map(({ witness, cosignedSize, alarm, problem }) => ({
      name: witness.name,
      cosignedSize: cosignedSize ?? 0,
      ...(alarm && { alarm: alarm.code, message: alarm.message }),
      ...(problem !== undefined && { problem }),
    }));
    return { witnessedSize: this.witnessedSize, witnesses };
  }

  /** Why nothing may be signed. */
  get refusal(): TlogError | undefined {
    const asked = this.asked ?? [];
    const objecting = asked.flatMap(({ alarm }) => alarm ?? []);
    const proven = objecting.find(({ evidence }) => evidence !== undefined);
    const agreeing = asked.filter(({ alarm }) => !alarm).map(({ witness }) => witness);
    const first = proven ?? (isEnough(this.options.policy, agreeing) ? undefined : objecting[0]);
    return first && new TlogError(first.code, first.message, { messageZh: first.messageZh });
  }

  /** Asks all at once what they know of the log. Those who don't answer soon are passed over. */
  async compare(): Promise<void> {
    const { pool, log } = this.options;
    const empty = {
      size: 0,
      note: signNote(formatCheckpoint({ origin: log.name, size: 0, rootHash: EMPTY_ROOT }), log),
    };
    // Where nothing was published, the empty tree asks: every log starts with it.
    const checkpoint = (await latestCheckpoint(pool)) ?? empty;
    const asked = await this.load();
    await Promise.all(asked.map((one) => this.ask(one, checkpoint, ANSWER_AT_START_MS_MAX)));
  }

  private async load(): Promise<Asked[]> {
    const { pool, policy } = this.options;
    const alarms = await openAlarms(pool, policy.witnesses);
    const sizes = await cosignedSizes(pool, policy.witnesses);
    this.asked ??= policy.witnesses.map((witness, i) => {
      const alarm = alarms.get(witness.vkey);
      const cosignedSize = sizes[i];
      return { witness, ...(cosignedSize !== undefined && { cosignedSize }), ...(alarm && { alarm }) };
    });
    return this.asked;
  }

  private async run(): Promise<void> {
    let loops: Promise<void>[] | undefined;
    while (!this.stopping.signal.aborted) {
      try {
        loops ??= (await this.load()).map((one) => this.follow(one));
        await this.choose();
      } catch (error) {
        this.options.logger?.warn({ err: error }, 'The next checkpoint to cosign could not be read');
      }
      await this.pause(INTERVAL_MS);
    }
    await Promise.all(loops ?? []);
  }

  private async choose(): Promise<void> {
    const newest = await latestCheckpoint(this.options.pool);
    const { target } = this;
    if (!newest || (target && newest.size === target.checkpoint.size)) return;
    if (target && !target.reached && performance.now() - target.sinceMs < ROUND_MS_MAX) return;
    this.target = { checkpoint: newest, sinceMs: performance.now(), reached: false };
    this.targetChanged.resolve();
    this.targetChanged = Promise.withResolvers();
  }

  private async follow(one: Asked): Promise<void> {
    let retryMs = RETRY_MS_MIN;
    while (!this.stopping.signal.aborted) {
      const { target, targetChanged } = this;
      if (!target || target.checkpoint.size <= (one.cosignedSize ?? -1)) {
        await targetChanged.promise;
        continue;
      }
      if (await this.ask(one, target.checkpoint, ANSWER_MS_MAX)) {
        retryMs = RETRY_MS_MIN;
        continue;
      }
      await this.pause(retryMs);
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => {});
  }

  /** Whether the witness has cosigned this checkpoint or a newer one. Never rejects. */
  private async ask(one: Asked, checkpoint: PublishedCheckpoint, answerMsMax: number): Promise<boolean> {
    try {
      const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(answerMsMax)]);
      const { cosigned, objection } = await this.cosign(one, checkpoint, signal);
      delete one.problem;
      if (objection) await this.raise(one, objection);
      else if (one.alarm) await this.settle(one);
      return cosigned;
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      const problem = error instanceof Error ? error.message : String(error);
      if (one.problem !== problem) {
        const told = { witness: one.witness.name, problem };
        this.options.logger?.warn(told, 'A witness gave no cosignature; it is asked again');
      }
      one.problem = problem;
      return false;
    }
  }

  private async cosign(one: Asked, asked: PublishedCheckpoint, signal: AbortSignal): Promise<Outcome> {
    const { pool } = this.options;
    let checkpoint = asked;
    let oldSize = Math.min(one.cosignedSize ?? 0, checkpoint.size);
    for (let turns = 0; turns <= CONFLICTS_MAX; turns += 1) {
      const { size, note } = checkpoint;
      const proof = oldSize === 0 ? [] : await consistencyProof(oldSize, size, tileNodes(size, readTiles(pool)));
      const answer = await askWitness(one.witness, { oldSize, proof, note }, { signal });
      if (answer.answer === 'inconsistent') return this.objected(one, 'WITNESS_FORKED', oldSize, signal);
      if (answer.answer === 'cosigned') {
        await this.keep(one, size, answer.line);
        return { cosigned: true };
      }
      // An older version of the standard answers another root of the same size so.
      if (answer.size === oldSize && oldSize === size) return this.objected(one, 'WITNESS_FORKED', size, signal);
      if (answer.size === oldSize) throw new WitnessFault(`it refuses the size ${oldSize} that it says it has`);
      if (answer.size > size) {
        checkpoint = (await latestCheckpoint(pool)) ?? checkpoint;
        if (answer.size > checkpoint.size) return this.objected(one, 'WITNESS_AHEAD', answer.size, signal);
      }
      oldSize = answer.size;
    }
    throw new WitnessFault('its size changes with every answer');
  }

  private async objected(
    { witness, alarm }: Asked,
    code: Alarm['code'],
    size: number,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const shown = await checkpointOf(witness, this.options.log, { signal });
    const isHeld = shown !== undefined && (await this.holds(shown));
    // The backup lacks the checkpoint, but not the entries: they may be published again.
    if (code === 'WITNESS_AHEAD' && isHeld && shown.size === size) return { cosigned: false };
    const evidence = shown && !isHeld ? shown.signed : alarm?.evidence;
    return { cosigned: false, objection: { code, size, ...(evidence !== undefined && { evidence }) } };
  }

  /** Whether the tree of this database starts with that of a checkpoint. */
  private async holds({ size, rootHash }: { size: number; rootHash: Buffer }): Promise<boolean> {
    const { pool } = this.options;
    const edge = await loadEdge(pool);
    if (size > edge.size) return false;
    return (await treeRoot(size, tileNodes(edge.size, readTiles(pool)))).equals(rootHash);
  }

  private async keep(one: Asked, size: number, line: string): Promise<void> {
    const { pool, policy, log } = this.options;
    const state = await storeCosignature(pool, policy, log, { size, witness: one.witness, line });
    if (state === 'unpublished') return;
    one.cosignedSize = Math.max(one.cosignedSize ?? 0, size);
    if (state !== 'enough') return;
    this.witnessedSize = Math.max(this.witnessedSize, size);
    if (this.target && this.target.checkpoint.size <= size) this.target.reached = true;
  }

  private async raise(one: Asked, { code, size, evidence }: Objection): Promise<void> {
    const text = textOf(one.witness, code, size, evidence !== undefined);
    const isKnown = one.alarm?.message === text.message;
    one.alarm = { code, ...text, ...(evidence !== undefined && { evidence }) };
    if (isKnown) return;
    await recordAlarm(this.options.pool, one.witness, one.alarm);
    const told = { witness: one.witness.name, code, remedy: text.message, remedyZh: text.messageZh };
    this.options.logger?.error(told, 'A witness objects to the log');
  }

  private async settle(one: Asked): Promise<void> {
    await endAlarm(this.options.pool, one.witness);
    delete one.alarm;
    this.options.logger?.warn({ witness: one.witness.name }, 'A witness that objected cosigns again');
  }
}

/** Without an objection and without a cosignature: it is asked again. */
interface Outcome {
  cosigned: boolean;
  objection?: Objection;
}

interface Objection extends Pick<Alarm, 'code' | 'evidence'> {
  /** What the witness has cosigned. */
  size: number;
}

type Text = Pick<Alarm, 'message' | 'messageZh'>;

function textOf({ name }: PolicyWitness, code: Alarm['code'], size: number, isProven: boolean): Text {
  const remedy = isProven
    ? "It shows a checkpoint under this log's own key that says so. Restore a backup that holds what was published"
    : 'Restore a backup that holds what was published; if the witness is wrong, take it out of the policy (LIANDUN_WITNESSES) and start again';
  const remedyZh = isProven
    ? '其出示的检查点由本日志的密钥签署，可以证实。请恢复包含已公布内容的备份'
    : '请恢复包含已公布内容的备份；若是见证方有误，请将其移出策略文件（LIANDUN_WITNESSES）后重新启动';
  if (code === 'WITNESS_AHEAD') {
    return {
      message: `Witness ${name} has cosigned ${size} entries, more than were ever published from this database: it was restored from an older backup. ${remedy}`,
      messageZh: `见证方 ${name} 已联署至 ${size} 条记录，多于本数据库公布过的：数据库由较旧的备份恢复。${remedyZh}`,
    };
  }
  return {
    message: `Witness ${name} has cosigned a log whose first ${size} entries are not those of this database: the log was forked, as by events accepted after an older backup was restored. ${remedy}`,
    messageZh: `见证方 ${name} 联署的日志前 ${size} 条记录与本数据库不同：日志已分叉，例如恢复旧备份后又接收了其他事件。${remedyZh}`,
  };
}
