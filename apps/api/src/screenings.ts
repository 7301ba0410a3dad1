import { randomUUID } from 'node:crypto';
import {
  EVENT_TYPES,
  LedgerError,
  SUBJECT_KINDS,
  type Identity,
  type Purpose,
  type ScreeningDecision,
  type ScreeningMade,
  type SubjectKind,
} from '@liandun/contracts';
import { basisRefusal, screeningFields } from '@liandun/domain';
import { zhMatcher } from '@liandun/identity';
import {
  inquiriesNaming,
  inquiriesOf,
  inquiryOf,
  inquiryRow,
  liveGenerations,
  MatchIndex,
  resultOf,
  screen,
  SCREENING_RIDER,
  toldMatch,
  type Generation,
  type ScreeningMatch,
} from '@liandun/matching';
import { Vault, type PersonIdentifiers } from '@liandun/vault';
import { agreementOf } from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { LedgerWriter } from './ledger-writer.js';
import { Door } from './pools.js';

const GENERATIONS_KNOWN_FOR_MS = 2_000;

export interface Screening {
  screeningId: string;
  result: ScreeningMade['result'];
  matches: ScreeningMatch[];
}

/** Asks the matcher about applicants, remembers what was asked, and what platforms decided of it. */
@Injectable()
export class Screenings {
  readonly #index: MatchIndex;
  #generations: { live: Generation[]; untilMs: number } | undefined;

  constructor(
    private readonly door: Door,
    private readonly vault: Vault,
    private readonly writer: LedgerWriter,
  ) {
    this.#index = new MatchIndex(zhMatcher, vault);
  }

  /**
   * The kinds of subject that the member may be told of. Throws NO_LEGAL_BASIS where `kind` is none of them, whether or not
   * there is anything to tell (rules P16, P18).
   */
  async mayTell(member: string, kind: SubjectKind): Promise<SubjectKind[]> {
    const agreement = await agreementOf(this.door.pool, member);
    const at = this.writer.now().toISOString();
    const kinds = SUBJECT_KINDS.filter((one) => !basisRefusal(agreement, screeningFields(one), at));
    if (!kinds.includes(kind)) throw new LedgerError('NO_LEGAL_BASIS');
    return kinds;
  }

  /** One applicant of a member. The question is recorded without the identity, which is remembered sealed (rules P14, P15). */
  async screen(member: string, identity: Identity, purpose: Purpose, kinds: SubjectKind[]): Promise<Screening> {
    const generation = await this.#active();
    const inquiry = inquiryOf(this.#index, this.vault, member, identity, this.writer.now());
    const matches = await screen(this.door.pool, this.#index, this.vault, generation, inquiry, kinds);
    const result = resultOf(matches);
    const screeningId = randomUUID();
    const listingIds = matches.map(({ listingId }) => listingId);
    const data: ScreeningMade = { screeningId, purpose, result, listingIds };
    const row = inquiryRow(this.#index, this.vault, generation, screeningId, inquiry, matches);
    await this.writer.append(
      `screenings/${member}`,
      { id: `screening:${screeningId}`, type: EVENT_TYPES.screeningMade, data },
      { [SCREENING_RIDER]: row },
    );
    return { screeningId, result, matches };
  }

  /** Notes that a match of the member's own screening is about somebody else. Throws NOT_FOUND for any other, also another's. */
  async decide(
    member: string,
    about: { screeningId: string; listingId: string },
    body: ScreeningDecision,
  ): Promise<void> {
    const { screeningId, listingId } = about;
    const said = await toldMatch(this.door.pool, { member, screeningId, listingId });
    if (!said) throw new LedgerError('NOT_FOUND');
    const { decision, decidedBy } = body;
    await this.writer.append(
      `screenings/${member}`,
      {
        id: `screening:${screeningId}:${listingId}:${randomUUID()}`,
        type: EVENT_TYPES.screeningDecided,
        data: { screeningId, listingId, decision, decidedBy },
      },
      { [SCREENING_RIDER]: { step: 'decided', member, said: said.toString('base64'), listingId } },
    );
  }

  /** The remembered inquiries about a person who is to be forgotten; of one member alone, if given. */
  async about(person: PersonIdentifiers, member?: string): Promise<string[]> {
    const generations = await liveGenerations(this.door.pool);
    return inquiriesOf(this.door.pool, this.#index, this.vault, generations, person, member);
  }

  /** The remembered screenings of whoever has this number. */
  async naming(number: Partial<Pick<Identity, 'uscc' | 'registrationNumber' | 'residentId'>>): Promise<string[]> {
    const generations = await liveGenerations(this.door.pool);
    return inquiriesNaming(this.door.pool, this.#index, this.vault, generations, number);
  }

  async #active(): Promise<Generation> {
    const known = this.#generations;
    const live = known && known.untilMs > Date.now() ? known.live : await liveGenerations(this.door.pool);
    if (live !== known?.live) this.#generations = { live, untilMs: Date.now() + GENERATIONS_KNOWN_FOR_MS };
    const active = live.find(({ state }) => state === 'active');
    // Before anything was matched there is nothing to be found; the keys are those of the first generation to come.
    return (
      active ?? {
        id: 1,
        matcher: zhMatcher.version,
        blind: this.#index.newestBlindKey,
        state: 'active',
        judged: null,
      }
    );
  }
}
