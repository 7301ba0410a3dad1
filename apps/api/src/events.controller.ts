import { Readable } from 'node:stream';
import { LedgerError, type Receipt } from '@liandun/contracts';
import { Intake, typeOf, type Prepared } from '@liandun/intake';
import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Metrics } from './metrics.js';
import { NdjsonIngest } from './ndjson.js';
import { BATCH_TYPE, NDJSON_TYPE } from './policy.js';
import { sendProblem } from './problems.js';
import { Tokens, type Caller } from './tokens.js';

const BATCH_EVENTS_MAX = 1_000;
const STATUSES = { accepted: 201, held: 201, duplicate: 200 } as const;

/** Events in: one, a batch, or a stream of any length (design section 3). */
@Controller('/v1/events')
export class EventsController {
  constructor(
    private readonly intake: Intake,
    private readonly tokens: Tokens,
    private readonly metrics: Metrics,
  ) {}

  @Post()
  async submit(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = callerOf(request);
    const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (mediaType === NDJSON_TYPE) return this.#stream(caller, request.body as Readable, reply);
    if (mediaType === BATCH_TYPE) return void reply.status(200).send(await this.#batch(caller, request.body));
    const [receipt] = await this.#settle(caller, [request.body]);
    const { status, problem } = receipt as Receipt;
    if (status === 'rejected') return sendProblem(reply, problem ?? new LedgerError('INTERNAL').toProblem());
    void reply.status(STATUSES[status]).send(receipt);
  }

  async #batch(caller: Caller, raws: unknown): Promise<Receipt[]> {
    if (!Array.isArray(raws)) throw new LedgerError('WRONG_TYPE');
    if (raws.length > BATCH_EVENTS_MAX) throw new LedgerError('TOO_MANY_EVENTS');
    return this.#settle(caller, raws);
  }

  async #settle(caller: Caller, raws: unknown[]): Promise<Receipt[]> {
    const prepared = raws.map((raw) => this.intake.prepare(caller, raw));
    const receipts = await this.intake.settle(caller, prepared);
    prepared.forEach((item, i) => this.#count(item, receipts[i] as Receipt));
    return receipts;
  }

  #count(prepared: Prepared, receipt: Receipt): void {
    this.metrics.countEvent(typeOf(prepared), receipt);
  }

  #stream(caller: Caller, body: Readable, reply: FastifyReply): void {
    const ingest = new NdjsonIngest(
      this.intake,
      caller,
      () => this.tokens.activeRole(caller.memberId),
      (prepared, receipt) => this.#count(prepared, receipt),
    );
    void reply
      .status(200)
      .header('content-type', NDJSON_TYPE)
      .send(Readable.from(ingest.receipts(body)));
  }
}
