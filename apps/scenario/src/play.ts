import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '@liandun/contracts';
import { delistingOf } from './cases.js';
import { castOf, SUREST_REASONS, type Cast, type Instance, type SharedRecord } from './cast.js';
import type { Handled, Platform } from './platforms.js';
import type { Subject } from './subject.js';
import { happened, heading, type Paint } from './screen.js';
import type { Text } from './texts.js';

const WAIT_MAX_MS = 120_000;

/** What one platform did about one notice of this run. */
export interface Outcome {
  platform: string;
  record: SharedRecord;
  handled: Handled;
  /** From sending the delisting or the reinstatement to the decision's commit at the receiver. */
  tookMs: number;
}

/** Of the delisting's entry; design section 3 names listings so. */
const listingIdOf = ({ position, leafHash }: Receipt): string =>
  `L${position}-${Buffer.from(leafHash ?? '', 'base64')
    .toString('hex')
    .slice(0, 12)}`;

/** Plays the story on running platforms: report, delist, close; then one merchant's way back by an appeal. */
export class Play {
  cast: Cast;
  readonly outcomes: Outcome[] = [];
  readonly #run: string;
  readonly #platforms: Map<string, Platform>;
  readonly #text: Text;
  readonly #print: (line: string) => void;
  readonly #beganMs = Date.now();
  readonly #records = new Map<string, { record: SharedRecord; sentMs: number }>();
  readonly #subject: Subject | undefined;
  /** By platform, the cases of which others were told before the merchant was. */
  readonly #toldAtOnce = new Map<string, string[]>();
  #early: { platform: string; handled: Handled }[] = [];

  /** Without a `subject` the publisher finds its mistake by itself. */
  constructor(
    run: string,
    platforms: Platform[],
    text: Text,
    print: (line: string) => void,
    subject: Subject | undefined,
  ) {
    this.#run = run;
    this.cast = castOf(run);
    this.#platforms = new Map(platforms.map((platform) => [platform.memberId, platform]));
    this.#text = text;
    this.#print = print;
    this.#subject = subject;
  }

  /** Runs to its end; throws, naming what is missing, when an expected outcome doesn't come. */
  async run(): Promise<void> {
    // On a ledger that was used a platform may have erred too often for its lesser findings to close a shop.
    if (await this.#subject?.seesLowered()) {
      this.cast = castOf(this.#run, SUREST_REASONS);
      this.#print(this.#text.lowered);
    }
    const done = new AbortController();
    const platforms = [...this.#platforms.values()];
    await Promise.all(platforms.map(async (platform) => platform.skipPast()));
    const watching = Promise.all(
      platforms.map(async (platform) => platform.watch((who, what) => this.#onHandled(who, what), done.signal)),
    );
    const story = this.#story().finally(() => done.abort());
    await Promise.all([story, watching]);
  }

  async #story(): Promise<void> {
    await this.#report();
    await this.#delistAll();
    await this.#tellSubjects();
    await this.#bystandersStayOpen();
    await this.#reinstate();
  }

  async #report(): Promise<void> {
    this.#print(heading(this.#text.reporting));
    const { records, bystanders } = this.cast;
    const all: Instance[] = [...records.flatMap(({ own, elsewhere }) => [own, ...elsewhere]), ...bystanders];
    for (const platform of this.#platforms.values()) {
      const its = all.filter((instance) => instance.platform === platform.memberId);
      const sentMs = Date.now();
      await platform.act('merchants', its);
      const shops = its.reduce((sum, instance) => sum + instance.shops.length, 0);
      this.#say(platform.memberId, 'reports', this.#text.reported(its.length, shops), Date.now() - sentMs);
    }
  }

  async #delistAll(): Promise<void> {
    this.#print(heading(this.#text.sharing));
    for (const record of this.cast.records) {
      const sentMs = Date.now();
      const delisting = delistingOf(record, sentMs);
      const receipt = await this.#act(record, 'delist', delisting);
      if (!delisting.hearing) {
        const { platform } = record.own;
        this.#toldAtOnce.set(platform, [...(this.#toldAtOnce.get(platform) ?? []), receipt.id]);
      }
      const label = `${record.own.identity.name} · ${record.reason} ${this.#text.reasons[record.reason]}`;
      this.#say(record.own.platform, 'delists', label, Date.now() - sentMs);
      this.#records.set(listingIdOf(receipt), { record, sentMs });
      // A notice may be quicker than the receipt.
      for (const { platform, handled } of this.#early.splice(0)) this.#onHandled(platform, handled);
    }
    const elsewhere = this.cast.records.flatMap((record) => record.elsewhere);
    const restricted = this.cast.records.reduce(
      (sum, { isOrganization, elsewhere: { length } }) =>
        sum + (isOrganization ? this.#platforms.size - 1 - length : 0),
      0,
    );
    await this.#until('close', elsewhere.length);
    await this.#until('restrictAdmission', restricted);
  }

  /** Others were told at once, so the merchants are told the same day (rule P06); the others were heard before. */
  async #tellSubjects(): Promise<void> {
    for (const [memberId, platform] of this.#platforms) {
      const cases = this.#toldAtOnce.get(memberId) ?? [];
      const sentMs = Date.now();
      const said = { notifiedAt: new Date(sentMs).toISOString(), notifiedBy: 'reviewer-07' };
      await platform.act(
        'notified',
        cases.map((caseId) => ({ caseId, ...said })),
      );
      this.#say(memberId, 'tells', this.#text.told(cases.length), Date.now() - sentMs);
    }
  }

  async #bystandersStayOpen(): Promise<void> {
    const bystanders = new Set(this.cast.bystanders.map(({ merchantId }) => merchantId));
    for (const platform of this.#platforms.values()) {
      const closed = (await platform.shops()).find(
        (shop) => bystanders.has(shop.merchantId) && shop.status === 'closed',
      );
      if (closed) throw new Error(this.#text.closedBystander(platform.memberId, closed.shopId));
    }
  }

  async #reinstate(): Promise<void> {
    this.#print(heading(this.#text.mistake));
    const { mistaken } = this.cast;
    const [listingId, entry] = [...this.#records].find(([, { record }]) => record === mistaken) ?? [];
    if (!listingId || !entry) throw new Error(this.#text.neverListed);
    if (this.#subject) await this.#appeal(this.#subject, listingId, entry);
    const { platform: publisher, merchantId, identity } = mistaken.own;
    const sentMs = (entry.sentMs = Date.now());
    const decision = { cause: 'wrongIdentity', decidedBy: 'reviewer-03' };
    if (this.#subject) {
      const reasons = this.#text.reasonsGiven;
      const body = { listingId, merchantId, decision: 'overturned', reasons, ...decision };
      await this.#platforms.get(publisher)?.decideAppeal(body);
    } else {
      const decidedAt = new Date(sentMs).toISOString();
      await this.#act(mistaken, 'reinstate', { merchantId, decidedAt, ...decision });
    }
    this.#say(publisher, 'reinstates', identity.name, Date.now() - sentMs, 'green');
    await this.#until('reopen', mistaken.elsewhere.length);
    const shopIds = new Set(mistaken.elsewhere.flatMap(({ shops }) => shops.map(({ shopId }) => shopId)));
    for (const platform of this.#platforms.values()) {
      const closed = (await platform.shops()).find((shop) => shopIds.has(shop.shopId) && shop.status === 'closed');
      if (closed) throw new Error(this.#text.keptClosed(platform.memberId, closed.shopId));
    }
  }

  /** He proves who he is, appeals once, and every platform that was told sees that it is disputed. */
  async #appeal(subject: Subject, listingId: string, entry: { sentMs: number }): Promise<void> {
    const { mistaken, phone } = this.cast;
    const { name, uscc = '' } = mistaken.own.identity;
    await subject.identify(uscc, name, phone);
    const sentMs = (entry.sentMs = Date.now());
    await subject.appeal(listingId, this.#text.statement);
    this.#say(this.#text.merchant, 'appeals', name, Date.now() - sentMs);
    await this.#until('mark', this.#platforms.size - 1);
  }

  async #act(record: SharedRecord, what: 'delist' | 'reinstate', data: object): Promise<Receipt> {
    const [receipt] = (await this.#platforms.get(record.own.platform)?.act(what, [data])) ?? [];
    if (!receipt) throw new Error(this.#text.noReceipt(record.own.merchantId));
    return receipt;
  }

  #onHandled(platform: string, handled: Handled): void {
    const known = this.#records.get(handled.listingId);
    if (!known) {
      // Not ours, or ours and the receipt is still under way.
      this.#early.push({ platform, handled });
      return;
    }
    const { record, sentMs } = known;
    const tookMs = Date.parse(handled.at) - sentMs;
    this.outcomes.push({ platform, record, handled, tookMs });
    const what = `${record.own.identity.name} · ${this.#text.shops(handled.shops.length, handled.openOrders)}`;
    if (handled.action === 'mark') this.#say(platform, 'marks', record.own.identity.name, tookMs, 'yellow');
    if (handled.action === 'reopen') this.#say(platform, 'reopens', what, tookMs, 'green');
    if (handled.action !== 'close') return;
    if (handled.decision === 'closed') this.#say(platform, 'closes', what, tookMs, 'red');
    else if (handled.decision === 'declined')
      this.#say(platform, 'declines', record.own.identity.name, tookMs, 'yellow');
    else this.#say(platform, 'answers', `${record.own.identity.name} · ${handled.decision}`, tookMs, 'yellow');
  }

  async #until(action: string, expected: number): Promise<void> {
    const deadline = Date.now() + WAIT_MAX_MS;
    for (;;) {
      const count = this.outcomes.filter(({ handled }) => handled.action === action).length;
      if (count === expected) return;
      if (count > expected || Date.now() > deadline) {
        throw new Error(this.#text.missing(action, count, expected));
      }
      await sleep(10);
    }
  }

  #say(who: string, verb: keyof Text['verbs'], what: string, tookMs: number, paint: Paint = 'plain'): void {
    this.#print(happened(Date.now() - this.#beganMs, [who, this.#text.verbs[verb], what, tookMs], paint));
  }
}
