import { LedgerError } from '@liandun/contracts';
import { EventLog, type EventLogOptions } from '@liandun/event-log';
import type { HaltWatch } from '@liandun/tlog';

/** The log, which takes no entry while that would fork what was published: it rejects with LOG_HALTED. */
export class GuardedLog extends EventLog {
  constructor(
    options: EventLogOptions,
    private readonly halts: HaltWatch,
  ) {
    super(options);
  }

  /** Throws LOG_HALTED. */
  requireOpen(): void {
    if (this.halts.refusal) throw new LedgerError('LOG_HALTED');
  }

  override async append(...args: Parameters<EventLog['append']>): ReturnType<EventLog['append']> {
    this.requireOpen();
    return super.append(...args);
  }

  override async appendAll(...args: Parameters<EventLog['appendAll']>): ReturnType<EventLog['appendAll']> {
    this.requireOpen();
    return super.appendAll(...args);
  }

  override async appendIn(...args: Parameters<EventLog['appendIn']>): ReturnType<EventLog['appendIn']> {
    this.requireOpen();
    return super.appendIn(...args);
  }
}
