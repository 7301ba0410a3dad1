import { asyncApiDocument, LedgerError, openApiDocument } from '@liandun/contracts';
import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import pg from 'pg';
import { Metrics } from './metrics.js';

/** What anyone on the inside may read: the interface's documents, health, metrics. */
@Controller()
export class DocumentsController {
  readonly #openApi = openApiDocument();
  readonly #asyncApi = asyncApiDocument();

  constructor(
    @Inject(pg.Pool) private readonly pool: pg.Pool,
    private readonly metrics: Metrics,
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

  /** Ready: the database answers and its tables are there. */
  @Get('/health/ready')
  async ready(): Promise<object> {
    await this.pool
      .query(
        `select (select position from log.head), (select count(*) from access.member), (select count(*) from vault.record where false),
           (select count(*) from auth.used_jti where false), (select count(*) from view.audit where false)`,
      )
      .catch(() => {
        throw new LedgerError('UNAVAILABLE');
      });
    return { status: 'ok' };
  }

  @Get('/metrics')
  async prometheus(@Res() reply: FastifyReply): Promise<void> {
    const text = await this.metrics.registry.metrics();
    void reply.header('content-type', this.metrics.registry.contentType).send(text);
  }
}
