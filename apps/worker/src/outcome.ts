import { LEDGER_SOURCE, type OutcomeType } from '@liandun/contracts';
import type { NewEvent } from '@liandun/event-log';
import { createHash } from 'node:crypto';

/**
 * What the ledger itself appends. The id says from what it follows, so the same outcome has the same id for ever, and its
 * fingerprint is the id's: decided twice, it is a duplicate.
 */
export const outcomeEvent = (
  id: string,
  type: OutcomeType,
  { time, stream, data }: Pick<NewEvent, 'time' | 'stream' | 'data'>,
): NewEvent => ({
  id,
  source: LEDGER_SOURCE,
  type,
  time,
  stream,
  data,
  fingerprint: createHash('sha256').update(id).digest(),
});
