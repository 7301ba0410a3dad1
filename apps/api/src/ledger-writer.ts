import { LEDGER_SOURCE, toBeijingTime, type OutcomeType } from '@liandun/contracts';
import { EventLog, type AppendOutcome, type NewEvent } from '@liandun/event-log';
import { canonicalJson } from '@liandun/transparency-log';
import { Vault } from '@liandun/vault';
import { DatabaseClock } from '@liandun/intake';

/** A fact that the ledger itself states. */
export interface LedgerFact {
  /** Unique among the ledger's own events: the same fact written twice is stored once. */
  id: string;
  type: OutcomeType;
  data: object;
}

/** Appends what the ledger itself states on its HTTP side: membership, readings, screenings. */
export class LedgerWriter {
  constructor(
    private readonly log: EventLog,
    private readonly vault: Vault,
    private readonly clock: DatabaseClock,
  ) {}

  /** The database's time. */
  now(): Date {
    return this.clock.now();
  }

  /** The event of a fact, to be appended with others in one command. */
  event(stream: string, { id, type, data }: LedgerFact, riders?: Record<string, unknown>): NewEvent {
    const fingerprint = this.vault.fingerprint(canonicalJson({ id, type, data }));
    const time = toBeijingTime(this.clock.now());
    return { id, source: LEDGER_SOURCE, type, time, stream, data, fingerprint, ...(riders ? { riders } : {}) };
  }

  /** Appends one fact. */
  append(stream: string, fact: LedgerFact, riders?: Record<string, unknown>): Promise<AppendOutcome> {
    return this.log.append({ events: [this.event(stream, fact, riders)] });
  }
}
