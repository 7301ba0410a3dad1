// The versions of the table of reason codes: folded inline, since the next submission is checked by what was approved last.
import { ReasonCodeHistory, type ChangedReason, type ReasonCodesChanged } from '@liandun/contracts';
import { prepared } from '@liandun/event-log';
import type pg from 'pg';

export const reasonCodesDdl = (schema: string): string => `
-- The rows that a version changed or added; the others are those of the version before, at first the released table's.
create table ${schema}.reason_code (
  version int not null,
  code text not null,
  position bigint not null,
  reason jsonb not null,
  approval_id text not null,
  requested_by text not null,
  approved_by text not null,
  primary key (version, code),
  -- Two persons (rules P05, P20), also where the code above should fail.
  check (requested_by <> approved_by),
  -- A breach of platform rules alone is no reason to list (rule P05).
  check (code ~ '^[A-WYZ][0-9]{2}$' and reason ->> 'code' = code),
  -- Complete (rule P02), with an end (rule P11), and closing by itself only on official proof (rule P01).
  check (coalesce(jsonb_array_length(reason -> 'legalBasis') > 0 and (reason ->> 'defaultRetentionDays')::int > 0
    and (reason ->> 'autoClosable' = 'false' or (reason ->> 'tier' = '1' and reason ->> 'proofFloor' <> 'platformFinding')), false))
);
create index on ${schema}.reason_code (code, version);
`;

export const saveReasonCodes = (
  client: pg.ClientBase,
  schema: string,
  { version, codes, approvalId, requestedBy, approvedBy }: ReasonCodesChanged,
  position: number,
): Promise<unknown> =>
  client.query(
    `insert into ${schema}.reason_code (version, code, position, reason, approval_id, requested_by, approved_by)
     select $1, r ->> 'code', $3, r, $4, $5, $6 from jsonb_array_elements($2::jsonb) r`,
    [version, JSON.stringify(codes), position, approvalId, requestedBy, approvedBy],
  );

/**
 * Every version of the table. It is in schema `access` also for whoever folds another: that one is folded with each append, so it
 * holds all changes before any entry that is read.
 */
export async function reasonCodeHistory(db: pg.Pool | pg.ClientBase): Promise<ReasonCodeHistory> {
  const { rows } = await prepared<ChangedReason>(
    db,
    'select version, position::float8 as position, reason as row from access.reason_code order by version, code',
    [],
  );
  return new ReasonCodeHistory(rows);
}

/** SQL: a listing's reason as the version that it was made under has it, null where no change touched its code until then. */
export const reasonAsListedSql = (listing: string): string =>
  `(select r.reason from access.reason_code r where r.code = ${listing}.code and r.version <= ${listing}.codes_version
    order by r.version desc limit 1)`;

const FRESH_MS = 1000;

/** The table in force as a process knows it: at most a second old whenever `refresh` has ended. */
export class FollowedReasonCodes {
  #history = new ReasonCodeHistory();
  #lookedMs = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(private readonly db: pg.Pool) {}

  get history(): ReasonCodeHistory {
    return this.#history;
  }

  /** Looks anew where the last look is old, or always where `now` says so. */
  async refresh(now = false): Promise<void> {
    if (!now && performance.now() - this.#lookedMs < FRESH_MS) return;
    if (now) await this.#looking?.catch(() => undefined);
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  async #look(): Promise<void> {
    const startedMs = performance.now();
    this.#history = await reasonCodeHistory(this.db);
    this.#lookedMs = startedMs;
  }
}
