import { LedgerError, memberSource } from '@liandun/contracts';
import { find } from '@liandun/event-log';
import { receiptProof } from '@liandun/tlog';
import { Vault } from '@liandun/vault';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Reads } from './reads.js';
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
    private readonly reads: Reads,
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
    const caller = callerOf(request);
    const { memberId, role } = caller;
    const own = { source: memberSource(memberId), stream: `notices/${memberId}` };
    const { witnesses: policy } = this.settings;
    const receipt = await this.reads.as(caller, (db) =>
      receiptProof(db, source, id, { ...(role === 'regulator' ? {} : { own }), ...(policy && { policy }) }),
    );
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
    const caller = callerOf(request);
    // Another member's source is refused by its name alone, whether it sent such an event or not.
    if (source !== memberSource(caller.memberId)) throw new LedgerError('NOT_FOUND');
    const found = await this.reads.as(caller, async (db) => {
      const event = await find(db, source, id);
      if (!event) throw new LedgerError('NOT_FOUND');
      return { event, opened: (await this.vault.open(db, [event])).get(event.position) ?? [] };
    });
    const openings = found.opened.map(({ pointer, salt }) => ({ pointer, salt }));
    void reply.header('cache-control', 'no-store').send({ position: found.event.position, openings });
  }
}
