import { asyncApiDocument, LedgerError, openApiDocument, problem } from '@liandun/contracts';
import { HaltWatch } from '@liandun/tlog';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import pg from 'pg';
import { Metrics } from './metrics.js';
import { Door } from './pools.js';
import { ProblemError } from './problems.js';
import { Settings } from './settings.js';

const WORKER_ANSWERS_WITHIN_MS = 2_000;

/** What anyone on the inside may read: the interface's documents, health, metrics. */
@Controller()
export class DocumentsController {
  readonly #openApi = openApiDocument();
  readonly #asyncApi = asyncApiDocument();

  constructor(
    @Inject(pg.Pool) private readonly pool: pg.Pool,
    private readonly door: Door,
    private readonly metrics: Metrics,
    private readonly halts: HaltWatch,
    private readonly settings: Settings,
  ) {}

  @Get('/openapi.json')
  openApi(): object {
    return this.#openApi;
  }

  @Get('/asyncapi.json')
  asyncApi(): object {
    return this.#asyncApi;
  }

  @Get('/health/live')
  live(): object {
    return { status: 'ok' };
  }

  /** Ready: the database answers, its tables are there, and it may be written to; otherwise what to do. */
  @Get('/health/ready')
  async ready(): Promise<object> {
    const looked = [
      this.door.pool.query(
        `select (select position from log.head), (select count(*) from access.member), (select count(*) from auth.used_jti where false)`,
      ),
      this.pool.query(
        `select (select count(*) from log.entry where false), (select count(*) from vault.record where false),
           (select count(*) from view.audit where false), (select size from tlog.tree)`,
      ),
    ];
    await Promise.all(looked).catch(() => {
      throw new LedgerError('UNAVAILABLE');
    });
    const { refusal } = this.halts;
    if (refusal) {
      const { code, message, messageZh } = refusal;
      throw new ProblemError(
        problem('LOG_HALTED', { detail: `${code}: ${message}`, detailZh: `${code}：${messageZh}` }),
      );
    }
    if (this.settings.workerUrl === undefined) return { status: 'ok' };
    // The api goes on accepting without its worker; whoever looks is told that nothing is delivered.
    const worker = await this.askWorker('/health/ready');
    return { status: 'ok', worker: worker === undefined ? 'noAnswer' : worker.ok ? 'ok' : 'unhealthy' };
  }

  /** The api's own figures and the worker's: readers, relay, notices, time from event to notice. */
  @Get('/metrics')
  async prometheus(@Res() reply: FastifyReply): Promise<void> {
    const own = await this.metrics.registry.metrics();
    const worker = this.settings.workerUrl === undefined ? undefined : await this.askWorker('/metrics');
    const text = worker?.ok ? `${own}\n${worker.text}` : own;
    void reply.header('content-type', this.metrics.registry.contentType).send(text);
  }

  private async askWorker(path: string): Promise<{ ok: boolean; text: string } | undefined> {
    try {
      const signal = AbortSignal.timeout(WORKER_ANSWERS_WITHIN_MS);
      const answer = await fetch(`${this.settings.workerUrl}${path}`, { signal });
      return { ok: answer.ok, text: await answer.text() };
    } catch {
      return undefined;
    }
  }
}
