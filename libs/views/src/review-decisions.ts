// What stands of each pair that persons decided about: folded inline, so that the queue shows at once what was decided.
import type { ReviewDecided, ReviewUndone } from '@liandun/contracts';
import type pg from 'pg';

export const reviewsDdl = (schema: string): string => `
-- What was decided last of two observations. A decision counts from the moment in which it is accepted.
create table ${schema}.review (
  review_id text primary key,
  a bigint not null,
  b bigint not null,
  decision text not null check (decision in ('same', 'different', 'unsure')),
  ground text not null,
  case_no text not null,
  decided_by text not null,
  reviewer text not null,
  -- Accounts whose shops it would close or reopen.
  accounts int not null,
  approval_id text,
  approved_by text,
  -- The second person; null in decisions of the first days.
  approver text,
  -- Files that it rests on, by their hashes.
  evidence jsonb,
  decided_at timestamptz not null,
  expires_at timestamptz,
  undone boolean not null,
  position bigint not null,
  check (a < b),
  -- Two persons where shops close or reopen (rule P20), also where the code above should fail.
  check (approved_by <> decided_by),
  check ((approval_id is null) = (approved_by is null)),
  check (approver <> reviewer),
  check (accounts = 0 or approval_id is not null or decision = 'unsure' or (decision = 'different' and not undone)),
  check (undone or (decision = 'unsure') = (expires_at is not null))
);
create index on ${schema}.review (a) where not undone;
create index on ${schema}.review (b) where not undone;
`;

/** Keeps what was decided last of two observations, or that it was undone. */
export const saveReview = (
  client: pg.ClientBase,
  schema: string,
  review: ReviewDecided | ReviewUndone,
  { undone, position, acceptedAt }: { undone: boolean; position: number; acceptedAt: string },
): Promise<unknown> =>
  client.query(
    `insert into ${schema}.review (review_id, a, b, decision, ground, case_no, decided_by, reviewer, accounts, approval_id,
       approved_by, approver, evidence, expires_at, decided_at, undone, position)
     select r."reviewId", r.a, r.b, r.decision, r.ground, r."caseNo", r."decidedBy", r.reviewer, r.accounts, r."approvalId",
       r."approvedBy", r.approver, r.evidence, r."expiresAt", $2, $3, $4
     from jsonb_to_record($1) r ("reviewId" text, a bigint, b bigint, decision text, ground text, "caseNo" text, "decidedBy" text,
       reviewer text, accounts int, "approvalId" text, "approvedBy" text, approver text, evidence jsonb, "expiresAt" timestamptz)
     on conflict (review_id) do update set decision = excluded.decision, ground = excluded.ground,
       case_no = excluded.case_no, decided_by = excluded.decided_by, reviewer = excluded.reviewer,
       accounts = excluded.accounts, approval_id = excluded.approval_id, approved_by = excluded.approved_by,
       approver = excluded.approver, evidence = excluded.evidence,
       expires_at = excluded.expires_at, decided_at = excluded.decided_at, undone = excluded.undone,
       position = excluded.position`,
    [JSON.stringify(review), acceptedAt, undone, position],
  );
