// A listing's life: the states that it goes through, and which step may follow in which.
import type { Cause } from '@liandun/contracts';

/** It counts against its subject: members are told, screening answers. `disputed` carries the mark of an objection. */
export const STANDING = ['published', 'disputed', 'corrected', 'upheld'] as const;
const OVER = ['withdrawn', 'overturned', 'repaired', 'endedByDecision', 'expired'] as const;

/** `held`: its subject is being heard, or a second person looks at its publisher's flood; nobody is told. `stayed`: its effects are suspended everywhere. */
export const LISTING_STATES = ['held', ...STANDING, 'stayed', ...OVER] as const;
export type ListingState = (typeof LISTING_STATES)[number];
export type EndState = (typeof OVER)[number];
export type OpenState = Exclude<ListingState, EndState>;

/** What let a held case out: the subject answered, its time ran out, or the publisher attested that it was heard. */
export type ReleasedBy = 'answered' | 'deadline' | 'attested';

export type ListingLife =
  | { status: 'unlisted' }
  /**
   * `heldUntil` is absent until the deadline is set, and while it is paused. `flood`: a second person has yet to let it out (rule
   * P21); `heard`: nothing else is waited for.
   */
  | { status: 'held'; expiresAt?: string; heldUntil?: string; flood?: true; heard?: true }
  | { status: Exclude<OpenState, 'held'>; expiresAt?: string }
  | { status: EndState; cause: Cause };

/** What happened in a listing's life. Times are RFC 3339. */
export type LifeEvent =
  | { type: 'listed'; held: boolean; flood?: boolean; expiresAt?: string }
  | { type: 'deadlineSet'; heldUntil?: string }
  | { type: 'released'; by: ReleasedBy }
  | { type: 'floodReleased' }
  | { type: 'disputed' | 'stayed' | 'corrected' | 'upheld' }
  | { type: EndState; cause: Cause };

/** `now` is the database's time, RFC 3339: what runs by the clock isn't done before it is due. */
export type LifeCommand =
  | { type: 'setDeadline'; heldUntil?: string }
  | { type: 'release'; by: 'answered' | 'attested' }
  | { type: 'release'; by: 'deadline'; now: string }
  | { type: 'dispute' | 'stay' | 'correct' | 'uphold' }
  | { type: 'withdraw' | 'overturn' | 'repair' | 'endByDecision'; cause: Cause }
  | { type: 'expire'; now: string };

export type LifeRefusal = 'CASE_NOT_HELD' | 'LISTING_NOT_ACTIVE' | 'NOT_DUE';

const OPEN: readonly ListingState[] = ['held', ...STANDING, 'stayed'];
const HELD: readonly ListingState[] = ['held'];

/** In which states each step may be taken. Official repair, a term and a withdrawal end whatever is open (rules P11, P12). */
const MAY_FOLLOW: Record<LifeCommand['type'], readonly ListingState[]> = {
  setDeadline: HELD,
  release: HELD,
  // What one appeal decided may be appealed against on new grounds.
  dispute: ['published', 'corrected', 'upheld'],
  stay: [...STANDING],
  correct: ['published', 'disputed', 'stayed'],
  uphold: ['disputed', 'stayed'],
  overturn: ['disputed', 'stayed', 'corrected', 'upheld'],
  withdraw: OPEN,
  repair: OPEN,
  endByDecision: OPEN,
  expire: OPEN,
};

const passed = (time: string | undefined, now: string): boolean =>
  time !== undefined && Date.parse(time) <= Date.parse(now);

/** What follows from the command in this state, or why nothing may. */
export function decideLife(life: ListingLife, command: LifeCommand): { event: LifeEvent } | { refusal: LifeRefusal } {
  const { status } = life;
  if (status === 'unlisted' || !MAY_FOLLOW[command.type].includes(status))
    return { refusal: MAY_FOLLOW[command.type] === HELD ? 'CASE_NOT_HELD' : 'LISTING_NOT_ACTIVE' };
  if (MAY_FOLLOW[command.type] === HELD && 'heard' in life) return { refusal: 'CASE_NOT_HELD' };
  switch (command.type) {
    case 'setDeadline':
      return { event: { ...command, type: 'deadlineSet' } };
    case 'release':
      if (command.by === 'deadline' && !passed((life as { heldUntil?: string }).heldUntil, command.now))
        return { refusal: 'NOT_DUE' };
      return { event: { type: 'released', by: command.by } };
    case 'expire':
      if (!passed((life as { expiresAt?: string }).expiresAt, command.now)) return { refusal: 'NOT_DUE' };
      return { event: { type: 'expired', cause: 'expired' } };
    case 'withdraw':
      return { event: { type: 'withdrawn', cause: command.cause } };
    case 'overturn':
      return { event: { type: 'overturned', cause: command.cause } };
    case 'repair':
      return { event: { type: 'repaired', cause: command.cause } };
    case 'endByDecision':
      return { event: { type: 'endedByDecision', cause: command.cause } };
    case 'dispute':
      return { event: { type: 'disputed' } };
    case 'stay':
      return { event: { type: 'stayed' } };
    case 'correct':
      return { event: { type: 'corrected' } };
    case 'uphold':
      return { event: { type: 'upheld' } };
  }
}

const termOf = (life: ListingLife): { expiresAt?: string } =>
  'expiresAt' in life && life.expiresAt !== undefined ? { expiresAt: life.expiresAt } : {};

/** What was recorded, copied: what is over stays over, since two sides may end a listing before either hears of the other. */
export function evolveLife(life: ListingLife, event: LifeEvent): ListingLife {
  if (isOver(life)) return life;
  switch (event.type) {
    case 'listed': {
      const { held, flood, expiresAt } = event;
      const term = expiresAt !== undefined && { expiresAt };
      if (flood) return { status: 'held', ...term, flood: true, ...(!held && { heard: true }) };
      return { status: held ? 'held' : 'published', ...term };
    }
    case 'deadlineSet': {
      if (life.status !== 'held') return life;
      const { heldUntil } = event;
      const { heldUntil: _before, ...kept } = life;
      return { ...kept, ...(heldUntil !== undefined && { heldUntil }) };
    }
    case 'released':
      if (life.status !== 'held') return life;
      return life.flood ? { ...life, heard: true } : { status: 'published', ...termOf(life) };
    case 'floodReleased': {
      if (life.status !== 'held') return life;
      const { flood: _flood, ...kept } = life;
      return life.heard ? { status: 'published', ...termOf(life) } : kept;
    }
    case 'disputed':
    case 'stayed':
    case 'corrected':
    case 'upheld':
      return { status: event.type, ...termOf(life) };
    case 'withdrawn':
    case 'overturned':
    case 'repaired':
    case 'endedByDecision':
    case 'expired':
      return { status: event.type, cause: event.cause };
  }
}

/** Whether it counts against its subject, as far as its state goes; its term may have run out all the same. */
export const stands = ({ status }: { status: string }): boolean => (STANDING as readonly string[]).includes(status);

/** Whether nothing can follow any more. */
export const isOver = <T extends { status: string }>(life: T): life is Extract<T, { status: EndState }> =>
  (OVER as readonly string[]).includes(life.status);

/** How an authority's or court's decision ends a listing, by its cause (rule P12). */
export const officialEnd = (cause: Cause): 'repair' | 'endByDecision' =>
  cause === 'repaired' ? 'repair' : 'endByDecision';
