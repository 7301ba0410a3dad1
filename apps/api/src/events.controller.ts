import { Readable } from 'node:stream';
import { LedgerError, LIMITS, problemOf, type ParsedJson, type Receipt } from '@liandun/contracts';
import { Intake, typeOf, type Prepared } from '@liandun/intake';
import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Metrics } from './metrics.js';
import { NdjsonIngest } from './ndjson.js';
import { BATCH_TYPE, NDJSON_TYPE } from './policy.js';
import { sendProblem } from './problems.js';
import { quotaKeyOf, RateLimits } from './rate-limits.js';
import { Tokens, type Caller } from './tokens.js';

const STATUSES = { accepted: 201, held: 201, duplicate: 200 } as const;

/** Events in: one, a batch, or a stream of any length (design section 3). */
@Controller('/v1/events')
export class EventsController {
  constructor(
    private readonly intake: Intake,
    private readonly tokens: Tokens,
    private readonly metrics: Metrics,
    private readonly rates: RateLimits,
  ) {}

  @Post()
  async submit(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = callerOf(request);
    const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (mediaType === NDJSON_TYPE) return this.#stream(request, reply);
    if (mediaType === BATCH_TYPE) return void reply.status(200).send(await this.#batch(request, reply));
    await this.#count(request, reply, 1);
    const [receipt] = await this.#settle(caller, [{ value: request.body }]);
    const { status, problem } = receipt as Receipt;
    if (status === 'rejected') return sendProblem(reply, problem ?? new LedgerError('INTERNAL').toProblem());
    void reply.status(STATUSES[status]).send(receipt);
  }

  /** Events draw on the quota, however many a request holds. */
  #count(request: FastifyRequest, reply: FastifyReply, events: number): Promise<void> {
    return this.rates.take(quotaKeyOf(request, 'events'), events, reply);
  }

  async #batch(request: FastifyRequest, reply: FastifyReply): Promise<Receipt[]> {
    const items = request.body as ParsedJson[] | undefined;
    if (!items) throw new LedgerError('WRONG_TYPE');
    if (items.length > LIMITS.batchEvents) throw new LedgerError('TOO_MANY_EVENTS');
    await this.#count(request, reply, items.length);
    return this.#settle(callerOf(request), items);
  }

  #prepare(caller: Caller, parsed: ParsedJson): Prepared {
    if ('value' in parsed) return this.intake.prepare(caller, parsed.value);
    const { refused, id = '' } = parsed;
    return { step: 'refused', receipt: { id, status: 'rejected', problem: problemOf([refused]) } };
  }

  async #settle(caller: Caller, items: ParsedJson[]): Promise<Receipt[]> {
    await this.intake.ready();
    const prepared = items.map((item) => this.#prepare(caller, item));
    const receipts = await this.intake.settle(caller, prepared);
    prepared.forEach((item, i) => this.#observe(item, receipts[i] as Receipt));
    return receipts;
  }

  #observe(prepared: Prepared, receipt: Receipt): void {
    this.metrics.countEvent(typeOf(prepared), receipt);
  }

  #stream(request: FastifyRequest, reply: FastifyReply): void {
    const caller = callerOf(request);
    const paced = this.rates.paced(request.body as Readable, quotaKeyOf(request, 'events'));
    const ingest = new NdjsonIngest(
      this.intake,
      caller,
      () => this.tokens.stillCaller(caller),
      (prepared, receipt) => this.#observe(prepared, receipt),
    );
    void reply
      .status(200)
      .header('content-type', NDJSON_TYPE)
      .send(Readable.from(ingest.receipts(Readable.from(paced, { highWaterMark: 1 }))));
  }
}
