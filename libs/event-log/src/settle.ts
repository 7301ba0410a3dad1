/** What settling needs of a command: keys, fingerprints and streams of its events, in order. */
export interface SettleCommand {
  events: readonly SettleEvent[];
  expected?: Readonly<Record<string, number>> | undefined;
}

export interface SettleEvent {
  id: string;
  /** Source and id in one. */
  key: string;
  stream: string;
  fingerprint: Buffer;
}

/** An event that the log held before the group, with what its first receipt says. */
export interface KnownEvent<Receipt> {
  fingerprint: Buffer;
  receipt: Receipt;
}

/** What the log held when its head was locked. */
export interface Known<Receipt> {
  events: ReadonlyMap<string, KnownEvent<Receipt>>;
  /** Of the streams that have entries. */
  versions: ReadonlyMap<string, number>;
}

/** An event that is stored: the survivor at index i gets position head + 1 + i. */
export interface Survivor<E> {
  event: E;
  version: number;
}

/** A receipt is known from before, or it is that of the survivor with this index. */
export type ReceiptRef<Receipt> = number | Receipt;

export type Settled<Receipt> =
  | { status: 'appended' | 'duplicate'; receipts: ReceiptRef<Receipt>[] }
  | { status: 'reused'; eventId: string }
  | { status: 'conflict'; stream: string; actual: number };

/**
 * Decides a group of commands in their order, as if each were appended alone after the one before: finds repeated events, checks
 * expected versions, numbers what survives. A refused command leaves no trace on those behind it. A repeated command is a
 * duplicate even if its expected version has passed.
 */
export function settle<E extends SettleEvent, Receipt extends object>(
  commands: readonly { events: readonly E[]; expected?: SettleCommand['expected'] }[],
  known: Known<Receipt>,
): { outcomes: Settled<Receipt>[]; survivors: Survivor<E>[]; heads: Map<string, number> } {
  const survivors: Survivor<E>[] = [];
  const heads = new Map<string, number>();
  const appended = new Map<string, number>();
  const versionOf = (stream: string) => heads.get(stream) ?? known.versions.get(stream) ?? -1;

  const earlier = (event: E): KnownEvent<ReceiptRef<Receipt>> | undefined => {
    const index = appended.get(event.key);
    if (index === undefined) return known.events.get(event.key);
    return { fingerprint: survivors[index]!.event.fingerprint, receipt: index };
  };

  const outcomes = commands.map(({ events, expected }): Settled<Receipt> => {
    const repeated = repeats(events, earlier);
    if (repeated) return repeated;
    for (const stream in expected) {
      const actual = versionOf(stream);
      if (actual !== expected[stream]) return { status: 'conflict', stream, actual };
    }
    const receipts = events.map((event) => {
      const version = versionOf(event.stream) + 1;
      heads.set(event.stream, version);
      const index = survivors.push({ event, version }) - 1;
      appended.set(event.key, index);
      return index;
    });
    return { status: 'appended', receipts };
  });
  return { outcomes, survivors, heads };
}

/** The outcome of a command of which something is there already, or undefined if all of it is new. */
function repeats<E extends SettleEvent, Receipt>(
  events: readonly E[],
  earlier: (event: E) => KnownEvent<ReceiptRef<Receipt>> | undefined,
): Settled<Receipt> | undefined {
  const receipts: ReceiptRef<Receipt>[] = [];
  let repeatedId: string | undefined;
  for (const event of events) {
    const first = earlier(event);
    if (!first) continue;
    if (!first.fingerprint.equals(event.fingerprint)) return { status: 'reused', eventId: event.id };
    repeatedId ??= event.id;
    receipts.push(first.receipt);
  }
  if (repeatedId === undefined) return undefined;
  // A command is indivisible: where only some of its events are there, they came with another command.
  return receipts.length === events.length
    ? { status: 'duplicate', receipts }
    : { status: 'reused', eventId: repeatedId };
}
