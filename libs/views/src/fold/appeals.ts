// Appeals, stays and decisions (rules P07, P08).
import { prepared } from '@liandun/event-log';
import { ends } from './life.js';
import { type FoldRun, bulk } from './run.js';

/** An appeal marks what it is against. */
export const fileAppeal: FoldRun = async (client, schema, events) => {
  for (const { data, position } of events) {
    const { appealId, listingId, grounds, proved, filedAt } = data;
    await prepared(
      client,
      `insert into ${schema}.appeal (appeal_id, position, listing_id, grounds, proved, filed_at, publisher, decider)
       select $1, $2, listing_id, $4, $5, $6, source_member, decided_by from ${schema}.listing where listing_id = $3`,
      [appealId, position, listingId, grounds, proved, filedAt],
    );
    await prepared(
      client,
      `update ${schema}.listing set status = 'disputed', marked_at = $1 where listing_id = $2 and stands`,
      [position, listingId],
    );
  }
};

export const setAppealDeadline: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.appeal a set due = r.due, deadline = r.deadline
     from jsonb_to_recordset($1) r ("appealId" text, due timestamptz, deadline jsonb) where a.appeal_id = r."appealId"`,
    events.map(({ data: { appealId, listingId: _listingId, caseId: _caseId, ...deadline } }) => ({
      appealId,
      due: deadline.due,
      deadline,
    })),
  ) as Promise<void>;

/** Suspended everywhere until the appeal is decided. */
export const stay: FoldRun = async (client, schema, events) => {
  const rows = events.map(({ data, position }) => ({ appealId: data.appealId, listingId: data.listingId, position }));
  const ROWS = `jsonb_to_recordset($1) r ("appealId" text, "listingId" text, position bigint)`;
  await bulk(
    client,
    `update ${schema}.appeal a set stayed_at = r.position from ${ROWS} where a.appeal_id = r."appealId"`,
    rows,
  );
  await bulk(
    client,
    `update ${schema}.listing l set status = 'stayed', marked_at = r.position from ${ROWS}
     where l.listing_id = r."listingId" and l.stands`,
    rows,
  );
};

/** What was decided of an appeal. After a stay the listing is due again: those who may hear are told anew. */
export const decideAppeal: FoldRun = async (client, schema, events) => {
  for (const { data, position } of events) {
    const { appealId, listingId, decision, decidedBy, by, decidedAt, expiresAt, cause = 'appealUpheld' } = data;
    await prepared(
      client,
      `update ${schema}.appeal set decision = $2, decided_by = $3, reviewing_member = $4, decided_at = $5, concluded_at = $6
       where appeal_id = $1 and decision is null`,
      [appealId, decision, decidedBy, by, decidedAt, position],
    );
    await (decision === 'overturned'
      ? prepared(client, `update ${schema}.listing ${ends('overturned')} where ended_at is null and listing_id = $3`, [
          position,
          cause,
          listingId,
        ])
      : prepared(
          client,
          `update ${schema}.listing set status = $2, expires_at = least(expires_at, $4::timestamptz),
             marked_at = case when status = 'stayed' then marked_at else $1::bigint end,
             due_at = case when status = 'stayed' and entity_id is not null then $1::bigint else due_at end
           where listing_id = $3 and ended_at is null and status in ('disputed', 'stayed')`,
          [position, decision, listingId, expiresAt ?? null],
        ));
  }
};
