import { entityIdOf, EVENT_TYPES, LEDGER_SOURCE, type EntityLinked, type MatcherActivated } from '@liandun/contracts';
import { EventLog, prepared, type NewEvent, type ReaderDefinition, type StoredEvent } from '@liandun/event-log';
import { ENTITIES_PER_KEY_MAX, judge, MATCHER, type Candidate } from '@liandun/identity';
import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { OBSERVATION_TYPES, partitionKeys } from './notify.js';

const OBSERVATIONS = new Set(OBSERVATION_TYPES);

type Field = 'uscc' | 'residentId' | 'registrationNumber' | 'bankAccount';
interface Token {
  field: Field;
  key: string;
  keyVersion: number;
}
type Known = Omit<Candidate, 'agrees'>;

type Key = Pick<Token, 'field' | 'key'>;

/** What a batch knows of entities: read once for all its keys, then kept up as the batch goes on. */
class Candidates {
  private readonly byToken = new Map<string, Set<string>>();
  private readonly known = new Map<string, Known>();

  add(entity: Known, tokens: Key[]): void {
    const before = this.known.get(entity.entityId);
    const uscc = before?.uscc ?? entity.uscc;
    const residentId = before?.residentId ?? entity.residentId;
    this.known.set(entity.entityId, { ...entity, ...(uscc ? { uscc } : {}), ...(residentId ? { residentId } : {}) });
    for (const { field, key } of tokens) {
      const id = `${field}:${key}`;
      this.byToken.set(id, (this.byToken.get(id) ?? new Set()).add(entity.entityId));
    }
  }

  of(tokens: Token[]): Candidate[] {
    const agrees = new Map<string, Set<Field>>();
    for (const { field, key } of tokens) {
      for (const entityId of this.byToken.get(`${field}:${key}`) ?? []) {
        agrees.set(entityId, (agrees.get(entityId) ?? new Set()).add(field));
      }
    }
    return [...agrees].flatMap(([entityId, fields]) => {
      const entity = this.known.get(entityId);
      return entity ? [{ ...entity, agrees: [...fields].map((field) => ({ field })) }] : [];
    });
  }
}

const keyOf = (tokens: Key[], field: Field): string | undefined => tokens.find((token) => token.field === field)?.key;

/** By the one version that the matcher compares by: while keys rotate, tokens of others are there too. */
async function tokensAt(client: ClientBase, positions: number[]): Promise<Map<number, Token[]>> {
  const { rows } = await prepared<{ position: string; kind: Field; token: Buffer; version: number }>(
    client,
    `select position, kind, token, key_version as version from vault.token
     where position = any($1) and key_version = (select version from vault.index_version)
     order by position, kind, token`,
    [positions],
  );
  const byPosition = new Map<number, Token[]>();
  for (const row of rows) {
    const tokens = byPosition.get(Number(row.position)) ?? [];
    byPosition.set(Number(row.position), tokens);
    tokens.push({ field: row.kind, key: row.token.toString('hex'), keyVersion: row.version });
  }
  return byPosition;
}

/** Entities that share a key with the batch, with the identifiers that they hold. */
async function loadCandidates(client: ClientBase, tokens: Token[]): Promise<Candidates> {
  const candidates = new Candidates();
  const { rows } = await prepared<{ kind: Field; token: Buffer; entity_id: string; entity_kind: Known['kind'] }>(
    client,
    `select wanted.kind, wanted.token, found.entity_id, found.kind as entity_kind
     from (select distinct kind, token from unnest($1::text[], $2::bytea[]) w (kind, token)) wanted
     cross join lateral (
       select l.entity_id, min(l.kind) as kind from vault.token t join identity.link l using (position)
       where t.kind = wanted.kind and t.token = wanted.token
       group by l.entity_id order by min(l.position) limit ${ENTITIES_PER_KEY_MAX}) found`,
    [tokens.map(({ field }) => field), tokens.map(({ key }) => Buffer.from(key, 'hex'))],
  );
  if (rows.length === 0) return candidates;
  const held = await prepared<{ entity_id: string; kind: Field; token: Buffer }>(
    client,
    `select distinct l.entity_id, t.kind, t.token from identity.link l join vault.token t using (position)
     where l.entity_id = any($1) and t.kind in ('uscc', 'residentId') and t.key_version = $2`,
    [[...new Set(rows.map((row) => row.entity_id))], tokens[0]?.keyVersion],
  );
  const identifiers = Map.groupBy(held.rows, (row) => row.entity_id);
  for (const row of rows) {
    const own = (identifiers.get(row.entity_id) ?? []).map(({ kind, token }) => ({
      field: kind,
      key: token.toString('hex'),
    }));
    const uscc = keyOf(own, 'uscc');
    const residentId = keyOf(own, 'residentId');
    candidates.add(
      {
        entityId: row.entity_id,
        kind: row.entity_kind,
        ...(uscc ? { uscc } : {}),
        ...(residentId ? { residentId } : {}),
      },
      [{ field: row.kind, key: row.token.toString('hex') }],
    );
  }
  return candidates;
}

/** Of the observation that an entity is called by. */
const positionOf = (entityId: string): number => Number(/^E(\d+)-/.exec(entityId)?.[1]);

const kindOf = (event: StoredEvent): Known['kind'] =>
  (event.data as { identity: { kind: Known['kind'] } }).identity.kind;

function linkOf(event: StoredEvent, tokens: Token[], candidates: Candidates): EntityLinked {
  const kind = kindOf(event);
  const uscc = keyOf(tokens, 'uscc');
  const residentId = keyOf(tokens, 'residentId');
  const own = { kind, ...(uscc ? { uscc } : {}), ...(residentId ? { residentId } : {}) };
  const judgement = judge(own, candidates.of(tokens));
  const entityId = judgement.entityId ?? entityIdOf(event);
  candidates.add({ entityId, ...own }, tokens);
  return {
    observation: event.position,
    entityId,
    founded: judgement.entityId === undefined,
    matcher: MATCHER,
    because: judgement.because,
    // It joins on nothing but exact agreement.
    sameAs: positionOf(entityId),
    strongAs: positionOf(entityId),
    possible: judgement.possible.map((other) => ({ ...other, observation: positionOf(other.entityId) })),
  };
}

const outcome = (id: string, type: string, time: string, stream: string, data: object): NewEvent => ({
  id,
  source: LEDGER_SOURCE,
  type,
  time,
  stream,
  data,
  fingerprint: createHash('sha256').update(id).digest(),
});

const linkEvent = (link: EntityLinked, observation: StoredEvent): NewEvent =>
  outcome(
    `reconcile:${link.observation}:0`,
    EVENT_TYPES.entityLinked,
    observation.acceptedAt,
    `entity/${link.entityId}`,
    link,
  );

function saveLinks(client: ClientBase, links: EntityLinked[], observations: StoredEvent[]): Promise<unknown> {
  const rows = links.map((link, n) => ({ ...link, kind: kindOf(observations[n] as StoredEvent) }));
  return prepared(
    client,
    `insert into identity.link (position, entity_id, kind)
     select observation, "entityId", kind from jsonb_to_recordset($1) r (observation bigint, "entityId" text, kind text)`,
    [JSON.stringify(rows)],
  );
}

/**
 * The reader that says who each observation is: one `entity.linked` for each entry that carries an identity, decided
 * once and appended. Links, their index and the checkpoint commit together.
 */
export const reconcileReader = (log: EventLog): ReaderDefinition => ({
  name: 'reconcile',
  batchMax: 500,
  types: OBSERVATION_TYPES,
  keysOf: partitionKeys,
  async handle(client, events) {
    const observations = events.filter((event) => OBSERVATIONS.has(event.type));
    if (observations.length === 0) return;
    const tokens = await tokensAt(
      client,
      observations.map((event) => event.position),
    );
    const candidates = await loadCandidates(client, [...tokens.values()].flat());
    const links = observations.map((event) => linkOf(event, tokens.get(event.position) ?? [], candidates));
    const [outcomes] = await Promise.all([
      log.appendIn(
        client,
        links.map((link, n) => ({ events: [linkEvent(link, observations[n] as StoredEvent)] })),
      ),
      saveLinks(client, links, observations),
    ]);
    const failed = outcomes.find(({ status }) => status !== 'appended');
    if (failed) throw new Error(`a link could not be appended: ${failed.status}`);
  },
});

/** Records which matcher decides from here on; again with the same matcher changes nothing. */
export async function activateMatcher(log: EventLog, now: string): Promise<void> {
  const id = `reconcile:activated:${MATCHER}`;
  const activated: MatcherActivated = { matcher: MATCHER };
  await log.append({ events: [outcome(id, EVENT_TYPES.matcherActivated, now, 'matcher', activated)] });
}
