// Cases over their publisher's limits (rule P21).
import { FLOOD_CAUSE } from '@liandun/domain';
import { prepared } from '@liandun/event-log';
import { letOut } from './life.js';
import { type FoldRun, bulk } from './run.js';

/** Cases over their publisher's limits: the next entries of theirs wait for a second person (rule P21). */
export const flood: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `insert into ${schema}.flood (member, case_id, position)
     select member, "caseId", position from jsonb_to_recordset($1) r (member text, "caseId" text, position bigint)
     on conflict do nothing`,
    events.map(({ data, position }) => ({ member: data.memberId, caseId: data.caseId, position })),
  ) as Promise<void>;

/** A second person let waiting cases out, or refused them: then nobody is ever told. */
export const decideFlood: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { memberId, decision, after, upTo } = event.data;
    const which = 'l.flood and l.ended_at is null and l.source_member = $3 and l.position > $4 and l.position <= $5';
    const set =
      decision === 'release'
        ? letOut('flood', 'hearing', '$1::bigint', '$2::timestamptz')
        : `set flood = false, status = 'withdrawn', ended_at = $1, cause = $2`;
    const said = decision === 'release' ? event.acceptedAt : FLOOD_CAUSE;
    await prepared(client, `update ${schema}.listing l ${set} where ${which}`, [
      event.position,
      said,
      memberId,
      after,
      upTo,
    ]);
  }
};
