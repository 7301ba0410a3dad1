// Inquiries are remembered for 360 days: sealed under a data key each, found by keyed hashes, and forgotten with it.
import { EVENT_TYPES, LEDGER_SOURCE, type Identity, type MatchGrade } from '@liandun/contracts';
import { prepared } from '@liandun/event-log';
import type { Features } from '@liandun/identity';
import { seal, unseal, type EventRef, type SealedRecord, type Vault } from '@liandun/vault';
import type { ClientBase, Pool } from 'pg';
import type { Generation, MatchIndex } from '../match-index.js';
import type { Inquiry } from './screen.js';

/** How long an inquiry is remembered. */
export const INQUIRY_DAYS = 360;

/** The name under which events carry a ScreeningRow to `screeningRider`. */
export const SCREENING_RIDER = 'screening';

interface Told {
  listingId: string;
  grade: MatchGrade;
}

/** What the events of screenings do to what is remembered, in the transaction that appends them. */
export type ScreeningRow =
  | ({
      step: 'made';
      screeningId: string;
      member: string;
      /** base64; so is what follows of bytes. */
      said: string;
      matcher: string;
      generation: number;
      tokens: string[];
      told: Told[];
    } & Sealed)
  | { step: 'decided'; member: string; said: string; listingId: string };

interface Sealed {
  sealed: string;
  wrapped: string;
  keyVersion: number;
}

const refOf = (screeningId: string): EventRef => ({
  source: LEDGER_SOURCE,
  id: `screening:${screeningId}`,
  type: EVENT_TYPES.screeningMade,
});

const [PHONES_MAX, EMAILS_MAX, ACCOUNTS_MAX] = [3, 2, 3];

/** What is kept is what keys are made of, so that an erasure finds whoever it names; an organization's representative is none. */
function keptOf({ representativeId, representativeMask, ...features }: Features): Features {
  const { phones, emails, bankAccounts } = features;
  return {
    ...features,
    ...(features.as !== 'organization' && representativeId !== undefined && { representativeId }),
    ...(features.as !== 'organization' && representativeMask !== undefined && { representativeMask }),
    ...(phones && { phones: phones.slice(0, PHONES_MAX) }),
    ...(emails && { emails: emails.slice(0, EMAILS_MAX) }),
    ...(bankAccounts && { bankAccounts: bankAccounts.slice(0, ACCOUNTS_MAX) }),
  };
}

const sealFeatures = (features: Features, screeningId: string, vault: Vault): SealedRecord =>
  seal(
    [{ pointer: '/features', salt: '', value: JSON.stringify(keptOf(features)) }],
    refOf(screeningId),
    'subject',
    vault.keys.kms,
  );

function unsealFeatures(record: Omit<SealedRecord, 'person'>, screeningId: string, vault: Vault): Features {
  const [opened] = unseal({ person: 'subject', ...record }, refOf(screeningId), vault.keys.kms);
  return JSON.parse(opened?.value ?? '{}') as Features;
}

/** What a member asks, as matching sees it. The day is no part of what it says. */
export function inquiryOf(index: MatchIndex, vault: Vault, member: string, identity: Identity, now: Date): Inquiry {
  const features = index.matcher.features({ recordId: '', identity, reportedAt: now.toISOString() });
  const { day: _day, ...said } = features;
  return { member, features, said: vault.fingerprint(`inquiry ${member} ${JSON.stringify(said)}`) };
}

/** The row that remembers an inquiry and what it was answered. */
export function inquiryRow(
  index: MatchIndex,
  vault: Vault,
  generation: Generation,
  screeningId: string,
  { member, said, features }: Inquiry,
  told: readonly Told[],
): ScreeningRow {
  const { sealed, wrapped, keyVersion } = sealFeatures(features, screeningId, vault);
  return {
    step: 'made',
    screeningId,
    member,
    said: said.toString('base64'),
    matcher: index.matcher.version,
    generation: generation.id,
    sealed: sealed.toString('base64'),
    wrapped: wrapped.toString('base64'),
    keyVersion,
    tokens: index.tokens(index.matcher.keys(features), generation),
    told: told.map(({ listingId, grade }) => ({ listingId, grade })),
  };
}

const REMEMBER = `
with given as (select * from jsonb_to_recordset($1) r ("screeningId" uuid, member text, said text, matcher text,
    generation smallint, sealed text, wrapped text, "keyVersion" smallint, tokens jsonb, told jsonb)),
 inquiries as (
   insert into screening.inquiry (screening_id, member, said, matcher, generation, sealed, wrapped, key_version, expires_at)
   select "screeningId", member, decode(said, 'base64'), matcher, generation, decode(sealed, 'base64'),
     decode(wrapped, 'base64'), "keyVersion", now() + interval '${INQUIRY_DAYS} days' from given returning screening_id),
 keys as (
   insert into screening.inquiry_key (token, screening_id)
   select t::bigint, "screeningId" from given, jsonb_array_elements_text(tokens) t on conflict do nothing)
insert into screening.told as k (member, said, listing_id, grade)
select distinct on (member, said, m->>'listingId') member, decode(said, 'base64'), m->>'listingId', m->>'grade'
from given, jsonb_array_elements(told) m
on conflict (member, said, listing_id) do update set grade = excluded.grade where k.grade = 'possible'`;

const DECIDE = `
insert into screening.decision (member, said, listing_id, grade, positions)
select r.member, decode(r.said, 'base64'), r."listingId", t.grade,
  (select array_agg(i.position order by i.position) from view.listing l join identity.link i using (entity_id)
   where l.listing_id = r."listingId")
from jsonb_to_recordset($1) r (member text, said text, "listingId" text)
join screening.told t on t.member = r.member and t.said = decode(r.said, 'base64') and t.listing_id = r."listingId"
on conflict (member, said, listing_id) do update set grade = excluded.grade, positions = excluded.positions`;

/** Remembers inquiries and what was decided of their matches, in the append's own transaction. */
export async function screeningRider(client: ClientBase, rows: { row: unknown }[]): Promise<void> {
  const steps = rows.map(({ row }) => row as ScreeningRow);
  for (const [step, sql] of [
    ['made', REMEMBER],
    ['decided', DECIDE],
  ] as const) {
    const own = steps.filter((row) => row.step === step);
    if (own.length > 0) await prepared(client, sql, [JSON.stringify(own)]);
  }
}

/** What the member's inquiry said, where it was told of that listing; undefined for any other, also another's. */
export async function toldMatch(
  db: Pool | ClientBase,
  { member, screeningId, listingId }: { member: string; screeningId: string; listingId: string },
): Promise<Buffer | undefined> {
  const { rows } = await prepared<{ said: Buffer }>(
    db,
    `select i.said from screening.inquiry i join screening.told t using (member, said)
     where i.screening_id = $1 and i.member = $2 and t.listing_id = $3 and i.expires_at > now()`,
    [screeningId, member, listingId],
  );
  return rows[0]?.said;
}

/** An inquiry that is remembered, opened in memory. */
export interface Remembered extends Inquiry {
  screeningId: string;
}

interface InquiryRow {
  screening_id: string;
  member: string;
  said: Buffer;
  sealed: Buffer;
  wrapped: Buffer;
  key_version: number;
}

const openRow = (row: InquiryRow, vault: Vault): Remembered => ({
  screeningId: row.screening_id,
  member: row.member,
  said: row.said,
  features: unsealFeatures(
    { sealed: row.sealed, wrapped: row.wrapped, keyVersion: row.key_version },
    row.screening_id,
    vault,
  ),
});

const COLUMNS = 'i.screening_id, i.member, i.said, i.sealed, i.wrapped, i.key_version';

/**
 * The inquiries that share a key with these observations, of each member and applicant the latest, after the given id and at
 * most so many.
 */
export async function inquiriesAbout(
  client: ClientBase,
  vault: Vault,
  positions: readonly number[],
  page: { after: string; limit: number },
): Promise<Remembered[]> {
  const { rows } = await prepared<InquiryRow>(
    client,
    `select ${COLUMNS} from (
       select distinct on (f.member, f.said) f.screening_id from screening.inquiry f
       where f.expires_at > now() and (f.member, f.said) in (
         select i.member, i.said from match.key k join screening.inquiry_key q using (token)
           join screening.inquiry i using (screening_id) where k.position = any($1))
       order by f.member, f.said, f.asked_at desc, f.screening_id) latest
     join screening.inquiry i using (screening_id) where i.screening_id > $2 order by i.screening_id limit $3`,
    [positions, page.after, page.limit],
  );
  return rows.map((row) => openRow(row, vault));
}

/** Whether an applicant is the person who is to be forgotten, as the applicant or as the applicant's representative. */
function isAbout(features: Features, wanted: Features): boolean {
  const number = wanted.residentId;
  if (number !== undefined && [features.residentId, features.representativeId].includes(number)) return true;
  if (features.as !== 'organization' && wanted.uscc !== undefined && features.uscc === wanted.uscc) return true;
  const shared = (['phones', 'emails', 'bankAccounts'] as const).some((list) =>
    features[list]?.some((value) => wanted[list]?.includes(value)),
  );
  const names = [features.person?.text, features.name?.text, features.representative?.text];
  const name = wanted.person?.text ?? wanted.name?.text;
  return shared && name !== undefined && names.includes(name);
}

/** The inquiries that are about a person; with `member` only that one's. */
export async function inquiriesOf(
  db: Pool | ClientBase,
  index: MatchIndex,
  vault: Vault,
  generations: readonly Generation[],
  person: Partial<Identity>,
  member?: string,
): Promise<string[]> {
  const kinds = ['person', 'soleProprietor'] as const;
  const wanted = kinds.map((kind) => index.matcher.features({ recordId: '', identity: { ...person, kind } }));
  const keys = wanted.flatMap((features) => index.matcher.keys(features));
  const tokens = generations.flatMap((generation) => index.tokens(keys, generation));
  const { rows } = await prepared<InquiryRow>(
    db,
    `select distinct on (i.screening_id) ${COLUMNS} from screening.inquiry_key q join screening.inquiry i using (screening_id)
     where q.token = any($1) and ($2::text is null or i.member = $2)`,
    [tokens, member ?? null],
  );
  return rows
    .filter((row) => {
      const { features } = openRow(row, vault);
      return wanted.some((one) => isAbout(features, one));
    })
    .map((row) => row.screening_id);
}

/** A number that says who is asked about. */
type ToldNumber = Partial<Pick<Identity, 'uscc' | 'registrationNumber' | 'residentId'>>;

/** Whether an applicant was named by this very number. */
const isNamedBy = (features: Features, { uscc, residentId, registrationNumbers = [] }: Features): boolean =>
  (uscc !== undefined && features.uscc === uscc) ||
  (residentId !== undefined && features.residentId === residentId) ||
  registrationNumbers.some((number) => features.registrationNumbers?.includes(number));

/** The screenings of whoever has this number: what its holder may know of them (个人信息保护法 第44、45条). */
export async function inquiriesNaming(
  db: Pool | ClientBase,
  index: MatchIndex,
  vault: Vault,
  generations: readonly Generation[],
  number: ToldNumber,
): Promise<string[]> {
  const kinds = ['organization', 'person', 'soleProprietor'] as const;
  const wanted = kinds.map((kind) => index.matcher.features({ recordId: '', identity: { ...number, kind } }));
  const keys = wanted.flatMap((features) => index.matcher.keys(features));
  const tokens = generations.flatMap((generation) => index.tokens(keys, generation));
  const { rows } = await prepared<InquiryRow>(
    db,
    `select distinct on (i.screening_id) ${COLUMNS} from screening.inquiry_key q join screening.inquiry i using (screening_id)
     where q.token = any($1) and i.expires_at > now()`,
    [tokens],
  );
  return rows
    .filter((row) => {
      const { features } = openRow(row, vault);
      return wanted.some((one) => isNamedBy(features, one));
    })
    .map((row) => row.screening_id);
}

/** Forgets inquiries whose time has come, with all that was remembered of them. */
export async function purgeInquiries(db: Pool | ClientBase): Promise<number> {
  const { rowCount } = await prepared(db, 'delete from screening.inquiry where expires_at <= now()');
  for (const table of ['told', 'decision'])
    await prepared(
      db,
      `delete from screening.${table} t where not exists
         (select from screening.inquiry i where i.member = t.member and i.said = t.said)`,
    );
  return rowCount ?? 0;
}

const RENEWED_MAX = 200;

const RENEW = `
with given as (select * from jsonb_to_recordset($1) r ("screeningId" uuid, said text, "keyVersion" smallint, sealed text,
    wrapped text, tokens jsonb)),
 -- What was erased meanwhile does not come back.
 inquiries as (
   update screening.inquiry i set sealed = decode(g.sealed, 'base64'), wrapped = decode(g.wrapped, 'base64'),
     key_version = g."keyVersion", generation = $2
   from given g where i.screening_id = g."screeningId" returning i.screening_id),
 old as (
   delete from screening.inquiry_key k using given g where k.screening_id = g."screeningId"
     and not exists (select from jsonb_array_elements_text(g.tokens) t where t::bigint = k.token))
insert into screening.inquiry_key (token, screening_id)
select t::bigint, screening_id from inquiries join given on "screeningId" = screening_id, jsonb_array_elements_text(tokens) t
on conflict do nothing`;

/**
 * Brings inquiries to the active generation of keys and the newest key-encryption key, some at a time; answers how many were
 * not there.
 */
export async function renewInquiries(
  db: Pool | ClientBase,
  index: MatchIndex,
  vault: Vault,
  generation: Generation,
): Promise<number> {
  const { rows } = await prepared<InquiryRow>(
    db,
    `select ${COLUMNS} from screening.inquiry i where i.generation <> $1 or i.key_version < $2 limit ${RENEWED_MAX}`,
    [generation.id, vault.keys.kms.keyVersion],
  );
  if (rows.length === 0) return 0;
  const renewed = rows.map((row) => {
    const { features, screeningId } = openRow(row, vault);
    const { sealed, wrapped, keyVersion } = sealFeatures(features, screeningId, vault);
    return {
      screeningId,
      keyVersion,
      sealed: sealed.toString('base64'),
      wrapped: wrapped.toString('base64'),
      tokens: index.tokens(index.matcher.keys(features), generation),
    };
  });
  await prepared(db, RENEW, [JSON.stringify(renewed), generation.id]);
  return rows.length;
}
