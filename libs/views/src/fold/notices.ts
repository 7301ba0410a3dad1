// What members were told, and what they answered.
import { prepared, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import { type FoldRun, sender, bulk } from './run.js';

export const dispose: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `insert into ${schema}.disposition (position, notice_id, member, decision, reason_code, open_orders, shops,
       decided_at, decided_by, accepted_at)
     select position, "noticeId", member, decision, "reasonCode", "openOrders", shops, "decidedAt", "decidedBy", "acceptedAt"
     from jsonb_to_recordset($1) r (position bigint, "noticeId" text, member text, decision text, "reasonCode" text,
       "openOrders" text, shops jsonb, "decidedAt" timestamptz, "decidedBy" text, "acceptedAt" timestamptz)`,
    events.map((event) => ({
      ...(event.data as object),
      position: event.position,
      member: sender(event),
      acceptedAt: event.acceptedAt,
    })),
  ) as Promise<void>;

const NOTICE_ROWS = `jsonb_to_recordset($1) r ("noticeId" text, member text, seq bigint, action text,
  "listingId" text, "entityId" text, uscc text, status text, "merchantIds" jsonb, merchants jsonb, shops jsonb, because jsonb,
  position bigint, "acceptedAt" timestamptz, "respondBy" timestamptz, "expiresAt" timestamptz)`;

function noticeRow(event: StoredEvent): { noticeId: string; action: string; key: string } {
  const data = event.data;
  return {
    ...data,
    key: `${data.listingId} ${data.member}`,
    entityId: data.entity.entityId,
    uscc: data.entity.uscc,
    because: data.match.because,
    merchants: Object.fromEntries(data.merchantIds.map((id: string) => [id, data.match.grade])),
    position: event.position,
    acceptedAt: event.acceptedAt,
  };
}

/**
 * A notice is folded when it is issued and met again when the reader comes to its own entry: the second time changes
 * nothing, because only rows that were new move what a member was told.
 */
export const tell: FoldRun = async (client, schema, events) => {
  const rows = events.map(noticeRow);
  const { rows: inserted } = await prepared<{ notice_id: string }>(
    client,
    `insert into ${schema}.notice
       (notice_id, member, seq, action, listing_id, entity_id, merchant_ids, position, issued_at, respond_by)
     select "noticeId", member, seq, action, "listingId", "entityId", "merchantIds", position, "acceptedAt", "respondBy"
     from ${NOTICE_ROWS} on conflict do nothing returning notice_id`,
    [JSON.stringify(rows)],
  );
  const isNew = new Set(inserted.map((row) => row.notice_id));
  // One after the other for notices to one member of one listing; all others together.
  const waves: (typeof rows)[] = [];
  const depth = new Map<string, number>();
  for (const row of rows.filter(({ noticeId }) => isNew.has(noticeId))) {
    const wave = depth.get(row.key) ?? 0;
    depth.set(row.key, wave + 1);
    (waves[wave] ??= []).push(row);
  }
  for (const wave of waves) await foldTold(client, schema, wave);
};

const ENDING_ACTIONS = new Set(['reopen', 'lift']);

async function foldTold(client: ClientBase, schema: string, rows: { action: string }[]): Promise<void> {
  const whose = 't.listing_id = r."listingId" and t.member = r.member';
  const ended = rows.filter(({ action }) => ENDING_ACTIONS.has(action));
  await bulk(client, `update ${schema}.told t set ended = true from ${NOTICE_ROWS} where ${whose}`, ended);
  // A mark says nothing of whom it is about.
  const marked = rows.filter(({ action }) => action === 'mark');
  await bulk(
    client,
    `update ${schema}.told t set status = r.status, expires_at = r."expiresAt" from ${NOTICE_ROWS} where ${whose}`,
    marked,
  );
  const corrected = rows.filter(({ action }) => action === 'correct');
  // Whose last account was corrected was told of nothing that still holds.
  await bulk(
    client,
    `update ${schema}.told t
     set merchants = t.merchants - (select array_agg(id) from jsonb_array_elements_text(r."merchantIds") id),
       ended = t.ended or not exists (select from jsonb_object_keys(t.merchants) id where not r."merchantIds" ? id),
       shops = (select coalesce(jsonb_agg(s order by s), '[]') from jsonb_array_elements(t.shops) s
                where s->>'shopId' not in (select c->>'shopId' from jsonb_array_elements(r.shops) c))
     from ${NOTICE_ROWS} where ${whose}`,
    corrected,
  );
  await bulk(
    client,
    `insert into ${schema}.told as t (listing_id, member, merchants, shops, because, uscc, status, expires_at, ended)
     select "listingId", member, merchants, shops, because, uscc, status, "expiresAt", false from ${NOTICE_ROWS}
     on conflict (listing_id, member) do update set ended = false, because = excluded.because, uscc = excluded.uscc,
       status = excluded.status, expires_at = excluded.expires_at,
       merchants = case when t.ended then excluded.merchants else t.merchants || excluded.merchants end,
       shops = (select coalesce(jsonb_agg(distinct s order by s), '[]')
                from jsonb_array_elements(case when t.ended then excluded.shops else t.shops || excluded.shops end) s)`,
    rows.filter(({ action }) => !ENDING_ACTIONS.has(action) && action !== 'correct' && action !== 'mark'),
  );
}

/** Folded when it is appended and met again at its own position: the second time changes nothing. */
export const redact: FoldRun = async (client, schema, events) => {
  await prepared(client, `update ${schema}.notice set erased = true where notice_id = any($1)`, [
    events.flatMap((event) => event.data.noticeIds),
  ]);
};
