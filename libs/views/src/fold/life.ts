// What becomes of a listing: withdrawn, heard, released, ended, expired.
import { officialEnd, type EndState } from '@liandun/domain';
import { prepared } from '@liandun/event-log';
import { type FoldRun, sender, bulk, keyOf } from './run.js';

export const ends = (status: EndState): string => `set status = '${status}', ended_at = $1, cause = $2`;

export const reinstate: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(
      client,
      `update ${schema}.listing ${ends('withdrawn')} where origin = 'delisting' and ended_at is null and source_member = $3
         and (source_event_id = $4 or merchant_id = $5)`,
      [event.position, data.cause, sender(event), data.delistingId ?? null, data.merchantId ?? null],
    );
  }
};

export const withdraw: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(
      client,
      `update ${schema}.listing ${ends('withdrawn')} where origin = 'riskEntity' and ended_at is null and source_member = $3
         and source_event_id = $4`,
      [event.position, data.cause, sender(event), data.reportId],
    );
  }
};

/** What a held listing becomes that waits no longer for `waited`, unless it waits for `still` as well: published, and due where it is linked. */
export const letOut = (waited: 'hearing' | 'flood', still: 'hearing' | 'flood', position: string, at: string): string =>
  `set ${waited} = false, status = case when l.${still} then l.status else 'published' end,
     effective_at = case when l.${still} then l.effective_at else ${at} end,
     due_at = case when not l.${still} and l.entity_id is not null then ${position} end`;

/** A heard case is published, and due at once where it is linked already; or withdrawn where the answer convinced. */
export const hear: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    const whose = `l.source_member = $3 and l.source_event_id = $4 and l.status = 'held'`;
    if (data.cause !== undefined) {
      await prepared(client, `update ${schema}.listing l ${ends('withdrawn')} where ${whose}`, [
        event.position,
        data.cause,
        sender(event),
        data.caseId,
      ]);
      continue;
    }
    await prepared(
      client,
      `update ${schema}.listing l ${letOut('hearing', 'flood', '$1::bigint', '$2::timestamptz')}, heard_at = $1
       where ${whose} and l.hearing`,
      [event.position, event.acceptedAt, sender(event), data.caseId],
    );
  }
};

/** Its subject was told, as the publisher says (rule P06). */
export const notifySubject: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { caseId, notifiedAt } = event.data;
    await prepared(
      client,
      `update ${schema}.listing set notified_at = $1, subject_told = $2::timestamptz where source_member = $3 and source_event_id = $4
         and notified_at is null`,
      [event.position, notifiedAt, sender(event), caseId],
    );
  }
};

/** The publisher was reminded to tell the subjects of these cases. */
export const remindToTell: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l set tell_reminded_at = r.position
     from jsonb_to_recordset($1) r (member text, "caseId" text, position bigint)
     where l.source_member = r.member and l.source_event_id = r."caseId"`,
    events.flatMap(({ data: { member, caseIds }, position }) =>
      caseIds.map((caseId: string) => ({ member, caseId, position })),
    ),
  ) as Promise<void>;

export const endListing: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    const status = officialEnd(data.cause) === 'repair' ? 'repaired' : 'endedByDecision';
    await prepared(
      client,
      `update ${schema}.listing ${ends(status)} where ended_at is null and (listing_id = $3 or decision_no = $4)`,
      [event.position, data.cause, data.listingId ?? null, keyOf(data.decisionNo) ?? null],
    );
  }
};

/** Found to be filed in bad faith, once (rule P19). */
export const findMalicious: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l set malicious_at = r.position from jsonb_to_recordset($1) r ("listingId" text, position bigint)
     where l.listing_id = r."listingId" and l.malicious_at is null`,
    events.map(({ data, position }) => ({ listingId: data.listingId, position })),
  ) as Promise<void>;

export const setDeadline: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l set held_until = r.due, hold = r.hold
     from jsonb_to_recordset($1) r ("listingId" text, due timestamptz, hold jsonb) where l.listing_id = r."listingId"`,
    events.map(({ data: { listingId, caseId: _caseId, ...hold } }) => ({ listingId, due: hold.due, hold })),
  ) as Promise<void>;

/** The time to answer ran out: published, and due at once where it is linked already. */
export const release: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l ${letOut('hearing', 'flood', 'r.position', 'r."acceptedAt"')}, heard_at = r.position
     from jsonb_to_recordset($1) r ("listingId" text, position bigint, "acceptedAt" timestamptz)
     where l.listing_id = r."listingId" and l.status = 'held' and l.hearing`,
    events.map(({ data, position, acceptedAt }) => ({ listingId: data.listingId, position, acceptedAt })),
  ) as Promise<void>;

export const expire: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l set status = 'expired', ended_at = r.position, cause = 'expired'
     from jsonb_to_recordset($1) r ("listingId" text, position bigint)
     where l.listing_id = r."listingId" and l.ended_at is null`,
    events.map(({ data, position }) => ({ listingId: data.listingId, position })),
  ) as Promise<void>;
