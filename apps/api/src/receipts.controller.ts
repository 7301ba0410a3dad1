import { LedgerError, memberSource } from '@liandun/contracts';
import { EventLog } from '@liandun/event-log';
import { receiptProof } from '@liandun/tlog';
import { Vault } from '@liandun/vault';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import pg from 'pg';
import { callerOf } from './access-hooks.js';
import { Settings } from './settings.js';

const RETRY_AFTER_SECONDS = 1;

/** What can't be an id isn't there either. */
const requireText = (...texts: string[]): void => {
  if (texts.some((text) => text.includes('\0'))) throw new LedgerError('NOT_FOUND');
};

const wantsJson = ({ headers }: FastifyRequest): boolean => /\bapplication\/json\b/.test(headers.accept ?? '');

/** Turns a receipt into what convinces somebody who doesn't trust the ledger. */
@Controller('/v1/receipts')
export class ReceiptsController {
  constructor(
    @Inject(pg.Pool) private readonly pool: pg.Pool,
    private readonly log: EventLog,
    private readonly vault: Vault,
    private readonly settings: Settings,
  ) {}

  /** For what the caller sent or received; another member's entry is not there for it (rule P18). */
  @Get('/:source/:id')
  async proof(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('source') source: string,
    @Param('id') id: string,
  ): Promise<void> {
    requireText(source, id);
    const { memberId, role } = callerOf(request);
    const own = { source: memberSource(memberId), stream: `notices/${memberId}` };
    const { witnesses: policy } = this.settings;
    const receipt = await receiptProof(this.pool, source, id, {
      ...(role === 'regulator' ? {} : { own }),
      ...(policy && { policy }),
    });
    if (!receipt) throw new LedgerError('NOT_FOUND');
    void reply.header('cache-control', 'no-store').header('vary', 'accept');
    if (receipt.status === 'included' && !wantsJson(request)) {
      return void reply.type('text/plain; charset=utf-8').send(receipt.proof);
    }
    if (receipt.status === 'pending') void reply.status(202).header('retry-after', String(RETRY_AFTER_SECONDS));
    void reply.send({ ...receipt, leafHash: receipt.leafHash.toString('base64') });
  }

  /** The sender knows the values; with the salts it can show anybody what it published. They leave the ledger here only. */
  @Get('/:source/:id/openings')
  async openings(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('source') source: string,
    @Param('id') id: string,
  ): Promise<void> {
    requireText(source, id);
    const { memberId } = callerOf(request);
    const event = await this.log.find(source, id);
    if (!event || source !== memberSource(memberId)) throw new LedgerError('NOT_FOUND');
    const opened = (await this.vault.open(this.pool, [event])).get(event.position) ?? [];
    const openings = opened.map(({ pointer, salt }) => ({ pointer, salt }));
    void reply.header('cache-control', 'no-store').send({ position: event.position, openings });
  }
}
