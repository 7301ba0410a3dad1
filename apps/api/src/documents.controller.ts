import { asyncApiDocument, LedgerError, openApiDocument, problem } from '@liandun/contracts';
import { HaltWatch } from '@liandun/tlog';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import pg from 'pg';
import { Metrics } from './metrics.js';
import { ProblemError } from './problems.js';

/** What anyone on the inside may read: the interface's documents, health, metrics. */
@Controller()
export class DocumentsController {
  readonly #openApi = openApiDocument();
  readonly #asyncApi = asyncApiDocument();

  constructor(
    @Inject(pg.Pool) private readonly pool: pg.Pool,
    private readonly metrics: Metrics,
    private readonly halts: HaltWatch,
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
    await this.pool
      .query(
        `select (select position from log.head), (select count(*) from access.member), (select count(*) from vault.record where false),
           (select count(*) from auth.used_jti where false), (select count(*) from view.audit where false), (select size from tlog.tree)`,
      )
      .catch(() => {
        throw new LedgerError('UNAVAILABLE');
      });
    const { refusal } = this.halts;
    if (refusal) throw new ProblemError(problem('LOG_HALTED', { detail: `${refusal.code}: ${refusal.message}` }));
    return { status: 'ok' };
  }

  @Get('/metrics')
  async prometheus(@Res() reply: FastifyReply): Promise<void> {
    const text = await this.metrics.registry.metrics();
    void reply.header('content-type', this.metrics.registry.contentType).send(text);
  }
}
