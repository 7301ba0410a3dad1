import { loadWorkingDays } from '@liandun/contracts';
import { EventLog, runReader, type Reader } from '@liandun/event-log';
import { zhMatcher } from '@liandun/identity';
import { MatchIndex } from '@liandun/matching';
import { loadVaultKeys, Vault } from '@liandun/vault';
import pg from 'pg';
import { LifeClock } from '../../apps/worker/src/clock.js';
import { notifyReader } from '../../apps/worker/src/notify.js';
import { delistReader } from '../../apps/worker/src/notify/delist.js';
import { reconcileReader } from '../../apps/worker/src/reconcile.js';
import { TestApi, type Answer } from './api.js';
import { CodeGateway } from './codes.js';
import { asApp } from './database.js';

/** The api with the readers behind it and a gateway that keeps what it is to send: all that a subject meets. */
export class SubjectSide {
  private constructor(
    readonly api: TestApi,
    readonly gateway: CodeGateway,
    readonly log: EventLog,
    readonly vault: Vault,
    private readonly pool: pg.Pool,
    private readonly readers: Reader[],
  ) {}

  /** `more`: of the api's environment. */
  static async start(more: Record<string, string> = {}): Promise<SubjectSide> {
    const gateway = await CodeGateway.start();
    const env = { LIANDUN_CODE_GATEWAY: gateway.url, LIANDUN_CODE_GATEWAY_TOKEN: 'shown', ...more };
    const api = await TestApi.start({}, env);
    const pool = new pg.Pool({ connectionString: asApp(api.databaseUrl), max: 8, ...({ pipeline: true } as object) });
    pool.on('error', () => undefined); // the database is dropped with force
    const vault = new Vault(loadVaultKeys(api.env['LIANDUN_KEYS']));
    const log = new EventLog({ pool, riders: {} });
    const notify = runReader(pool, notifyReader(log));
    const others = [
      reconcileReader(log, new MatchIndex(zhMatcher, vault)),
      delistReader(log, { folded: (position) => notify.reached(position) }),
    ].map((definition) => runReader(pool, definition));
    return new SubjectSide(api, gateway, log, vault, pool, [notify, ...others]);
  }

  /** Waits until the readers have seen the whole log and appended nothing more. */
  async settled(): Promise<void> {
    for (let before = -2; ;) {
      const head = await this.log.head();
      if (head === before) return;
      await Promise.all(this.readers.map((reader) => reader.reached(head)));
      before = head;
    }
  }

  /** What runs by the clock, at a time so far ahead of now. */
  async tick(aheadMs = 0): Promise<void> {
    await this.settled();
    const now = (): Promise<Date> => Promise.resolve(new Date(Date.now() + aheadMs));
    await new LifeClock({
      pool: this.pool,
      log: this.log,
      workingDays: loadWorkingDays(),
      now,
      watchEveryMs: 0,
    }).tick();
    await this.settled();
  }

  /** A subject's call; without a token as anybody. */
  call(method: string, path: string, { body, token }: { body?: unknown; token?: string } = {}): Promise<Answer> {
    return this.api.call(undefined, method, path, { body, ...(token && { token }) });
  }

  /** Proves who he is by the code that was sent to his contact. */
  async identify(who: object, contact: string): Promise<string> {
    const before = this.gateway.sent.length;
    const channel = contact.includes('@') ? 'email' : 'sms';
    const { body } = await this.call('POST', '/public/identifications', { body: { ...who, channel } });
    const code = await this.gateway.next(contact, before);
    const path = `/public/identifications/${body.identificationId}/code`;
    const { body: proven } = await this.call('POST', path, { body: { code } });
    return proven.token;
  }

  /** Ends the readers: from then on nothing is asked of the database but by the api. */
  async freeze(): Promise<void> {
    await this.settled();
    await Promise.all(this.readers.splice(0).map((reader) => reader.stop()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.readers.map((reader) => reader.stop()));
    await this.log.close();
    await this.pool.end();
    await this.api.stop();
    await this.gateway.stop();
  }
}
