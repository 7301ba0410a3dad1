import { COUNT_MIN, FollowedReasonCodes, quarterlyFigures, type QuarterFigures } from '@liandun/views';
import { Controller, Get, Header } from '@nestjs/common';
import { LedgerWriter } from './ledger-writer.js';
import { Door } from './pools.js';
import { labelled } from './statistics-labels.js';

const KNOWN_FOR_SECONDS = 3_600;

/** How the ledger is used, by quarter, to everybody (rule P20): numbers alone, no member and no merchant. */
@Controller('/public')
export class StatisticsController {
  #shown: { quarters: Promise<QuarterFigures[]>; untilMs: number } | undefined;

  constructor(
    private readonly door: Door,
    private readonly writer: LedgerWriter,
    private readonly codes: FollowedReasonCodes,
  ) {}

  /** Asked of the database once an hour, however many ask. */
  @Get('/statistics')
  @Header('cache-control', `public, max-age=${KNOWN_FOR_SECONDS}`)
  async all(): Promise<object> {
    if (!this.#shown || this.#shown.untilMs < performance.now()) {
      const quarters = quarterlyFigures(this.door.pool, this.writer.now());
      this.#shown = { quarters, untilMs: performance.now() + KNOWN_FOR_SECONDS * 1000 };
      quarters.catch(() => (this.#shown = undefined));
    }
    const quarters = await this.#shown.quarters;
    await this.codes.refresh();
    const { codes } = this.codes.history.current;
    return { quarters: quarters.map((one) => labelled(one, codes)), fewerThan: COUNT_MIN };
  }
}
