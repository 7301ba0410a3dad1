import { randomUUID } from 'node:crypto';
import { signEvent } from '@liandun/commitments';
import {
  LIMITS,
  memberSource,
  SUBMITTED_TYPES,
  type CaseHeard,
  type CaseNotified,
  type CloudEvent,
  type ErasedNotices,
  type MatchedScreening,
  type Identity,
  type ListingEnded,
  type MerchantDelisted,
  type MerchantReinstated,
  type MerchantReported,
  type Notice,
  type NoticeDisposed,
  type Problem,
  type Receipt,
  type RegistryListed,
  type RegistryRemoved,
  type RiskEntityReported,
  type RiskEntityWithdrawn,
  type SubmittedType,
} from '@liandun/contracts';
import type { JSONWebKeySet, JWK } from 'jose';
import type { LiandunError } from './errors.js';
import { noticeStream } from './feed.js';
import { Http, type Answer } from './http.js';
import { EventStream } from './ndjson.js';
import { TokenSource, type Audience } from './tokens.js';
import { transportOf, type Transport } from './transport.js';

export interface ClientSettings {
  /** The ledger's address, such as `https://ledger.example`. */
  url: string;
  memberId: string;
  /** The member's private key with `kid`: Ed25519 or P-256. */
  key: JWK;
  /** Whether every event that is published bears the member's signature; false unless told. */
  sign?: boolean;
  /** PEM: the authority that issued the ledger's certificate, where it is not one that Node trusts. Holds for Kafka too. */
  ca?: string;
  /** How long one attempt of a request may take; 30,000 ms unless told. */
  timeoutMs?: number;
  /** Attempts before the last error is thrown; 6 unless told. */
  attemptsMax?: number;
  /** Hears of failures that the client gets over by itself. */
  onProblem?: (error: LiandunError) => void;
}

/** An event before its envelope. The id is what makes a repeat harmless: give it where you can repeat the call yourself. */
export interface Draft<T = object> {
  type: SubmittedType;
  data: T;
  id?: string;
  /** RFC 3339; now unless told. */
  time?: string;
}

export interface EventOptions {
  id?: string;
  time?: string;
}

/** Sends one event of its type. */
type Publish<T extends object> = (data: T, options?: EventOptions) => Promise<Receipt>;

export interface ScreeningMatch {
  listingId: string;
  grade: 'exact' | 'strong' | 'possible';
  [field: string]: unknown;
}

export interface Screening {
  screeningId: string;
  result: 'clear' | 'possible' | 'listed';
  matches: ScreeningMatch[];
}

/** What the ledger would answer to an event. */
export interface Preview {
  would: Receipt['status'];
  /** Its subject is to be heard (rule P06), or the member's limits are reached (rule P21). */
  heldBecause: ('hearing' | 'flood')[];
  problem?: Problem;
  subjects: number;
  /** `hub`: so many records share it that it says little of who somebody is. */
  identifiers: { field: string; hub: boolean }[];
  /** The member's limits and what it has filed; both limits absent: whatever it files is held. */
  limits: { subjectsPerHour?: number; subjectsPerDay?: number; lastHour: number; today: number; mean: number };
}

/** Why a regulator reads: it stands in the headers `Liandun-Purpose` and `Liandun-Case`, and in the log. */
export interface ReadPurpose {
  purpose: string;
  caseNo: string;
}

export interface AuditQuery {
  member?: string;
  type?: string;
  entityId?: string;
  /** RFC 3339. */
  from?: string;
  to?: string;
  /** A position; entries after it come. */
  after?: number;
  limit?: number;
}

export interface Page<T> {
  items: T[];
  /** What to give as `after` for the next page; absent or null after the last. */
  next?: number | null;
}

const EVENT = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

/** A member's connection to the ledger over HTTP. Everything it sends can be repeated; it retries by itself. */
export class LiandunClient {
  readonly memberId: string;
  readonly url: string;
  readonly #settings: ClientSettings;
  /** What Kafka clients of the same ledger trust (PEM); absent for what Node trusts. */
  readonly ca: string | undefined;
  readonly #transport: Transport;
  readonly #tokens: TokenSource;
  readonly #http: Http;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.memberId = settings.memberId;
    this.url = settings.url.replace(/\/$/, '');
    this.ca = settings.ca;
    this.#transport = transportOf(settings.ca);
    this.#tokens = new TokenSource(this.url, settings.memberId, settings.key, this.#transport);
    this.#http = new Http({
      url: this.url,
      tokens: this.#tokens,
      transport: this.#transport,
      timeoutMs: settings.timeoutMs ?? 30_000,
      attemptsMax: settings.attemptsMax ?? 6,
    });
  }

  /** A valid access token, from the cache where possible: for `liandun-kafka` it opens Kafka. */
  async token(audience: Audience = 'liandun'): Promise<string> {
    return this.#tokens.token(audience);
  }

  /** The CloudEvent of a draft: the member's `source`, a given or new id. */
  event<T extends object>(draft: Draft<T>): CloudEvent<T> {
    return {
      specversion: '1.0',
      id: draft.id ?? randomUUID(),
      source: memberSource(this.memberId),
      type: draft.type,
      time: draft.time ?? new Date().toISOString(),
      datacontenttype: 'application/json',
      data: draft.data,
    };
  }

  /**
   * The event with the member's signature over its committed form, and the salts that this takes: whoever holds its entry
   * can prove who sent it. Clients with `sign` do it by themselves; signed twice, it is the same event.
   */
  async sign<T extends object>(event: CloudEvent<T>): Promise<CloudEvent<T>> {
    return signEvent(event, this.#settings.key);
  }

  /** As it will be sent: signed where the client signs and it isn't signed yet. */
  async outgoing(event: CloudEvent): Promise<CloudEvent> {
    return this.#settings.sign && event.signature === undefined ? signEvent(event, this.#settings.key) : event;
  }

  /**
   * Sends one event, or a list in batches of at most 1,000 in order, and gives the receipts in the same order. A
   * refused event is a receipt of status `rejected` with its problem, never an exception.
   */
  async publish(event: CloudEvent): Promise<Receipt>;
  async publish(events: readonly CloudEvent[]): Promise<Receipt[]>;
  async publish(events: CloudEvent | readonly CloudEvent[]): Promise<Receipt | Receipt[]> {
    if (!isList(events)) {
      const body = JSON.stringify(await this.outgoing(events));
      const answers = [400, 403, 409, 413, 422];
      const answer = await this.#http.request('/v1/events', { method: 'POST', contentType: EVENT, body, answers });
      return receiptOf(events.id, answer);
    }
    const receipts: Receipt[] = [];
    for (let from = 0; from < events.length; from += LIMITS.batchEvents) {
      const batch = events.slice(from, from + LIMITS.batchEvents);
      const body = JSON.stringify(await Promise.all(batch.map(async (event) => this.outgoing(event))));
      const answer = await this.#http.request('/v1/events', { method: 'POST', contentType: BATCH, body });
      receipts.push(...(answer.body as Receipt[]));
    }
    return receipts;
  }

  /**
   * Sends a stream of any length and yields the receipts as they come. After a lost connection only the events
   * without a receipt are sent again, so each is stored once; at most 4,000 are under way at a time.
   */
  publishStream(events: AsyncIterable<CloudEvent> | Iterable<CloudEvent>): AsyncGenerator<Receipt> {
    return new EventStream(this.#settings.sign ? this.#outgoingOf(events) : events, {
      url: this.url,
      tokens: this.#tokens,
      transport: this.#transport,
      silenceMaxMs: this.#settings.timeoutMs ?? 30_000,
      attemptsMax: this.#settings.attemptsMax ?? 6,
    }).receipts();
  }

  reportMerchant = this.#publisher<MerchantReported>(SUBMITTED_TYPES.merchantReported);
  delistMerchant = this.#publisher<MerchantDelisted>(SUBMITTED_TYPES.merchantDelisted);
  reinstateMerchant = this.#publisher<MerchantReinstated>(SUBMITTED_TYPES.merchantReinstated);
  reportRiskEntity = this.#publisher<RiskEntityReported>(SUBMITTED_TYPES.riskEntityReported);
  withdrawRiskEntity = this.#publisher<RiskEntityWithdrawn>(SUBMITTED_TYPES.riskEntityWithdrawn);
  recordHearing = this.#publisher<CaseHeard>(SUBMITTED_TYPES.caseHeard);
  recordNotification = this.#publisher<CaseNotified>(SUBMITTED_TYPES.caseNotified);
  listInRegistry = this.#publisher<RegistryListed>(SUBMITTED_TYPES.registryListed);
  removeFromRegistry = this.#publisher<RegistryRemoved>(SUBMITTED_TYPES.registryRemoved);
  endListing = this.#publisher<ListingEnded>(SUBMITTED_TYPES.listingEnded);
  disposeNotice = this.#publisher<NoticeDisposed>(SUBMITTED_TYPES.noticeDisposed);

  /** Asks whether an identity is listed, before a merchant is let in. */
  async screen(identity: Identity, purpose: string): Promise<Screening> {
    return this.#post<Screening>('/v1/screenings', { identity, purpose });
  }

  /** What the ledger would answer to an event, and what it touches; nothing is stored or counted (rule P21). */
  async preview<T = Preview>(event: CloudEvent): Promise<T> {
    const body = JSON.stringify(await this.outgoing(event));
    return (await this.#http.request('/v1/events:preview', { method: 'POST', contentType: EVENT, body })).body as T;
  }

  /** The member's notices after `after` (a `seq`, -1 from the start), as CloudEvents, in order. */
  async notices(after = -1, limit = 100): Promise<Page<CloudEvent<Notice>>> {
    return this.#get<Page<CloudEvent<Notice>>>(`/v1/notices${query({ after, limit })}`);
  }

  /** Which of the member's notices name a person who was erased since, after a `no` (-1 from the start), in order. */
  async erasedNotices(after = -1, limit = 100): Promise<Page<CloudEvent<ErasedNotices>>> {
    return this.#get<Page<CloudEvent<ErasedNotices>>>(`/v1/notices/erased${query({ after, limit })}`);
  }

  /** Which of the member's inquiries later listings match, after a `no` (-1 from the start), in order. */
  async matchedScreenings(after = -1, limit = 100): Promise<Page<CloudEvent<MatchedScreening>>> {
    return this.#get<Page<CloudEvent<MatchedScreening>>>(`/v1/screenings/matched${query({ after, limit })}`);
  }

  /** Notes that a match of the member's own screening is about somebody else: it isn't shown to the member again. */
  async decideMatch(screeningId: string, listingId: string, decidedBy: string): Promise<void> {
    const path = `/v1/screenings/${encodeURIComponent(screeningId)}/matches/${encodeURIComponent(listingId)}/decision`;
    await this.#post(path, { decision: 'notSame', decidedBy });
  }

  /** The same as they come, for ever (Server-Sent Events), until `signal` aborts. */
  streamNotices(after = -1, signal: AbortSignal = new AbortController().signal): AsyncGenerator<CloudEvent<Notice>> {
    const onProblem = this.#settings.onProblem ?? (() => undefined);
    return noticeStream(
      { url: this.url, tokens: this.#tokens, transport: this.#transport, silenceMaxMs: 60_000, onProblem },
      after,
      signal,
    );
  }

  /** Who was told of a listing and what became of it; regulators only. */
  async coverage<T = unknown>(listingId: string, why: ReadPurpose): Promise<T> {
    return this.#get<T>(`/v1/listings/${encodeURIComponent(listingId)}/coverage`, reading(why));
  }

  /** Entries of the log: all for a regulator, what it sent or received for a member. */
  async audit<T = unknown>(filter: AuditQuery = {}, why?: ReadPurpose): Promise<Page<T>> {
    return this.#get<Page<T>>(`/v1/audit/events${query({ ...filter })}`, why && reading(why));
  }

  /** Any other route of the ledger that answers JSON; throws LiandunError with the problem. */
  async get<T = unknown>(path: string, why?: ReadPurpose): Promise<T> {
    return this.#get<T>(path, why && reading(why));
  }

  /** Any other route that takes and answers JSON. It may be sent more than once. */
  async post<T = unknown>(path: string, body: object, why?: ReadPurpose): Promise<T> {
    return this.#post<T>(path, body, why && reading(why));
  }

  /** The ledger's public keys: `use: "sig"` for its tokens, `use: "enc"` for its inbox. */
  async ledgerKeys(): Promise<JSONWebKeySet> {
    return (await this.#http.request('/.well-known/jwks.json', { open: true })).body as JSONWebKeySet;
  }

  async *#outgoingOf(events: AsyncIterable<CloudEvent> | Iterable<CloudEvent>): AsyncGenerator<CloudEvent> {
    for await (const event of events) yield this.outgoing(event);
  }

  #publisher<T extends object>(type: SubmittedType): Publish<T> {
    return async (data, options) => this.publish(this.event({ type, data, ...options }));
  }

  async #get<T>(path: string, headers?: Record<string, string>): Promise<T> {
    return (await this.#http.request(path, { headers })).body as T;
  }

  async #post<T>(path: string, body: object, headers?: Record<string, string>): Promise<T> {
    const contentType = 'application/json';
    const request = { method: 'POST' as const, contentType, body: JSON.stringify(body), headers };
    return (await this.#http.request(path, request)).body as T;
  }
}

// Array.isArray doesn't narrow a readonly array.
const isList = (events: CloudEvent | readonly CloudEvent[]): events is readonly CloudEvent[] => Array.isArray(events);

/** A header holds ASCII: a case number such as 京市监〔2026〕17号 travels, and is logged, percent-encoded. */
const headerText = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/gu, encodeURIComponent);

const reading = ({ purpose, caseNo }: ReadPurpose): Record<string, string> => ({
  'liandun-purpose': headerText(purpose),
  'liandun-case': headerText(caseNo),
});

function query(parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? '' : `?${search.toString()}`;
}

/** A refusal comes as a receipt or as a bare problem document: both make the same receipt. */
function receiptOf(id: string, { status, body }: Answer): Receipt {
  const answer = body as Receipt | Problem;
  if (status < 400 || typeof answer.status === 'string') return answer as Receipt;
  return { id, status: 'rejected', problem: answer };
}
