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

interface NoticeRow {
  member: string;
  listingId: string;
  action: string;
  event: StoredEvent;
}

const noticeRow = (event: StoredEvent): NoticeRow => {
  const { member, listingId, action } = event.data;
  return { member, listingId, action, event };
};

function insertedRow({ data, position, acceptedAt: at }: StoredEvent): object {
  const { noticeId: id, member, seq, action, listingId: listing, entity, merchantIds: merchants, respondBy: by } = data;
  return { id, member, seq, action, listing, entity: entity.entityId, merchants, position, at, by };
}

/**
 * A notice is folded when it is issued and met again when a rebuild comes to its own entry: the second time changes
 * nothing, because only rows that were new move what a member was told.
 */
export const tell: FoldRun = async (client, schema, events) => {
  const { rows: inserted } = await prepared<{ notice_id: string }>(
    client,
    `insert into ${schema}.notice
       (notice_id, member, seq, action, listing_id, entity_id, merchant_ids, position, issued_at, respond_by)
     select id, member, seq, action, listing, entity, merchants, position, "at", "by"
     from jsonb_to_recordset($1) r (id text, member text, seq bigint, action text, listing text, entity text, merchants jsonb,
       position bigint, "at" timestamptz, "by" timestamptz) on conflict do nothing returning notice_id`,
    [JSON.stringify(events.map(insertedRow))],
  );
  const isNew = new Set(inserted.map((row) => row.notice_id));
  await foldTold(
    client,
    schema,
    events.filter(({ data }) => isNew.has(data.noticeId)),
  );
};

/** One after the other for notices to one member of one listing; all others together. */
export async function foldTold(client: ClientBase, schema: string, events: StoredEvent[]): Promise<void> {
  const waves: NoticeRow[][] = [];
  const depth = new Map<string, number>();
  for (const row of events.map(noticeRow)) {
    const key = `${row.listingId} ${row.member}`;
    const wave = depth.get(key) ?? 0;
    depth.set(key, wave + 1);
    (waves[wave] ??= []).push(row);
  }
  for (const wave of waves) await foldWave(client, schema, wave);
}

const ENDING_ACTIONS = new Set(['reopen', 'lift']);
const WHOSE = 't.listing_id = r.listing and t.member = r.member';

type HowTold = 'ended' | 'marked' | 'corrected' | 'listed';

function howTold(action: string): HowTold {
  if (ENDING_ACTIONS.has(action)) return 'ended';
  if (action === 'correct') return 'corrected';
  return action === 'mark' ? 'marked' : 'listed';
}

async function foldWave(client: ClientBase, schema: string, rows: NoticeRow[]): Promise<void> {
  const {
    ended = [],
    marked = [],
    corrected = [],
    listed = [],
  } = Object.groupBy(rows, ({ action }) => howTold(action));
  const whose = ({ listingId: listing, member }: NoticeRow): object => ({ listing, member });
  await Promise.all([
    bulk(
      client,
      `update ${schema}.told t set ended = true from jsonb_to_recordset($1) r (listing text, member text) where ${WHOSE}`,
      ended.map(whose),
    ),
    // A mark says nothing of whom it is about.
    bulk(
      client,
      `update ${schema}.told t set status = r.status, expires_at = r.expires
       from jsonb_to_recordset($1) r (listing text, member text, status text, expires timestamptz) where ${WHOSE}`,
      marked.map((row) => ({ ...whose(row), status: row.event.data.status, expires: row.event.data.expiresAt })),
    ),
    // Whose last account was corrected was told of nothing that still holds.
    bulk(
      client,
      `update ${schema}.told t
       set merchants = t.merchants - (select array_agg(id) from jsonb_array_elements_text(r.merchants) id),
         ended = t.ended or not exists (select from jsonb_object_keys(t.merchants) id where not r.merchants ? id),
         shops = (select coalesce(jsonb_agg(s order by s), '[]') from jsonb_array_elements(t.shops) s
                  where s->>'shopId' not in (select c->>'shopId' from jsonb_array_elements(r.shops) c))
       from jsonb_to_recordset($1) r (listing text, member text, merchants jsonb, shops jsonb) where ${WHOSE}`,
      corrected.map((row) => ({ ...whose(row), merchants: row.event.data.merchantIds, shops: row.event.data.shops })),
    ),
    bulk(
      client,
      `insert into ${schema}.told as t (listing_id, member, merchants, shops, because, uscc, status, expires_at, ended)
       select listing, member, merchants, shops, because, uscc, status, expires, false
       from jsonb_to_recordset($1) r (listing text, member text, merchants jsonb, shops jsonb, because jsonb, uscc text,
         status text, expires timestamptz)
       on conflict (listing_id, member) do update set ended = false, because = excluded.because, uscc = excluded.uscc,
         status = excluded.status, expires_at = excluded.expires_at,
         merchants = case when t.ended then excluded.merchants else t.merchants || excluded.merchants end,
         shops = (select coalesce(jsonb_agg(distinct s order by s), '[]')
                  from jsonb_array_elements(case when t.ended then excluded.shops else t.shops || excluded.shops end) s)`,
      listed.map((row) => {
        const { merchantIds, match, shops, entity, status, expiresAt } = row.event.data;
        return {
          ...whose(row),
          merchants: Object.fromEntries(merchantIds.map((id: string) => [id, match.grade])),
          shops,
          because: match.because,
          uscc: entity.uscc,
          status,
          expires: expiresAt,
        };
      }),
    ),
  ]);
}

/** Folded when it is appended and met again at its own position: the second time changes nothing. */
export const redact: FoldRun = async (client, schema, events) => {
  await prepared(client, `update ${schema}.notice set erased = true where notice_id = any($1)`, [
    events.flatMap((event) => event.data.noticeIds),
  ]);
};
