import type pg from 'pg';
import { byteaArray, int4Array, textArray } from './binary-arrays.js';
import { beijingTime, type AppendOutcome, type AppendReceipt } from './events.js';
import type { PreparedCommand, PreparedEvent } from './prepare.js';
import { settle, type Known, type Settled } from './settle.js';

/** What a rider gets for each of its rows: where the event was stored. */
export interface RiderRow {
  position: number;
  leafHash: Buffer;
  acceptedAt: string;
  row: unknown;
}

/**
 * Writes the rows that came with events, in the transaction that stores them, one call for a whole group. Rows are in position
 * order. It runs under the head's lock: one statement for all rows, nothing slow.
 */
export type Rider = (client: pg.ClientBase, rows: RiderRow[]) => Promise<void>;

/**
 * Says for each row of a group, in the commands' order, whether the events of its gate are stored as well. It runs once for a group,
 * under the head's lock and in the transaction that stores the group, for commands of which nothing is in the log yet: what it
 * counts, it counts for all processes in the log's order. One statement for all rows, nothing slow.
 */
export type Gate = (client: pg.ClientBase, rows: unknown[]) => Promise<boolean[]>;

/** What a log is made with, by name. */
export interface Helpers {
  riders: Readonly<Record<string, Rider>>;
  gates: Readonly<Record<string, Gate>>;
}

const LOCK_HEAD = {
  name: 'log.lock_head',
  text: 'select versions, repeated from log.lock_head($1, $2, $3)',
};
const APPEND = {
  name: 'log.append',
  text: 'select * from log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
};

/**
 * Stores a group of which nothing is in the log yet, in one statement, and then what rides with it. Undefined, with nothing
 * stored, if a command expects a version, is gated, or an id is repeated: then it takes settleGroup.
 */
export async function writeNewGroup(
  client: pg.ClientBase,
  commands: PreparedCommand[],
  { riders }: Helpers,
): Promise<AppendOutcome[] | undefined> {
  if (commands.some(({ expected, gate }) => expected || gate)) return undefined;
  const events = commands.flatMap((command) => command.events);
  const receipts = await store(client, events);
  if (!receipts) return undefined;
  await ride(client, events, receipts, riders);
  let next = 0;
  return commands.map((command) => {
    const first = next;
    next += command.events.length;
    return { status: 'appended', receipts: receipts.slice(first, next) };
  });
}

/** Looks up what the log holds of a group, settles it, and stores the survivors and what rides with them. */
export async function settleGroup(
  client: pg.ClientBase,
  commands: PreparedCommand[],
  { riders, gates }: Helpers,
): Promise<AppendOutcome[]> {
  const known = await lockHead(client, commands);
  const ungated = settle(commands, known);
  const gated = await askGates(client, commands, ungated.outcomes, gates);
  const { outcomes, survivors } =
    gated.size === 0
      ? ungated
      : settle(
          commands.map((command) =>
            gated.has(command) && command.gate
              ? { ...command, events: [...command.gate.events, ...command.events] }
              : command,
          ),
          known,
        );
  const events = survivors.map(({ event }) => event);
  const receipts = events.length > 0 ? await store(client, events) : [];
  if (!receipts) throw new Error('An id came into the log under its lock');
  await ride(client, events, receipts, riders);
  return outcomes.map((outcome, i) =>
    withReceipts(outcome, receipts, gated.has(commands[i]!) ? commands[i]!.gate : undefined),
  );
}

/** The commands that are stored with what their gates add. */
async function askGates(
  client: pg.ClientBase,
  commands: PreparedCommand[],
  outcomes: Settled<AppendReceipt>[],
  gates: Readonly<Record<string, Gate>>,
): Promise<Set<PreparedCommand>> {
  const asking = commands.filter(({ gate }, i) => gate && outcomes[i]!.status === 'appended');
  const gated = new Set<PreparedCommand>();
  for (const [name, some] of Map.groupBy(asking, ({ gate }) => gate!.name)) {
    const answers = await gates[name]!(
      client,
      some.map(({ gate }) => gate!.row),
    );
    some.forEach((command, i) => answers[i] && gated.add(command));
  }
  return gated;
}

/**
 * Gives new events their positions and versions and stores them; whoever appends waits until this transaction ends. Undefined if
 * the log has one of them already, or one is there twice.
 */
async function store(client: pg.ClientBase, events: PreparedEvent[]): Promise<AppendReceipt[] | undefined> {
  const followers = new Map<string, number>();
  const behind = events.map(() => 0);
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const { stream } = events[i]!;
    behind[i] = followers.has(stream) ? followers.get(stream)! + 1 : 0;
    followers.set(stream, behind[i]!);
  }
  const values = [
    textArray([...followers.keys()]),
    int4Array([...followers.values()]),
    textArray(events.map(({ event }) => event.source)),
    textArray(events.map(({ id }) => id)),
    textArray(events.map(({ event }) => event.type)),
    textArray(events.map(({ stream }) => stream)),
    int4Array(behind),
    textArray(events.map(({ event }) => event.time)),
    textArray(events.map(({ middle }) => middle)),
    byteaArray(events.map(({ fingerprint }) => fingerprint)),
  ];
  const { rows } = await client.query<
    { first: string; now_ms: string; versions: string; leaf_hashes: Buffer } | { first: null }
  >({ ...APPEND, values });
  const row = rows[0]!;
  if (row.first === null) return undefined;
  const first = Number(row.first);
  const acceptedAt = beijingTime(Number(row.now_ms));
  const versions = row.versions.split(',');
  return events.map(({ id }, i) => ({
    id,
    position: first + i,
    version: Number(versions[i]),
    leafHash: row.leaf_hashes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1)),
    acceptedAt,
  }));
}

const HASH_BYTES = 32;

/** Everything that settling needs to know, found under the head's lock. */
async function lockHead(client: pg.ClientBase, commands: PreparedCommand[]): Promise<Known<AppendReceipt>> {
  const sources: string[] = [];
  const ids: string[] = [];
  const streams = new Set<string>();
  for (const { events, expected, gate } of commands) {
    for (const { stream } of gate?.events ?? []) streams.add(stream);
    for (const { event } of events) {
      sources.push(event.source);
      ids.push(event.id);
      streams.add(event.stream);
    }
    for (const stream in expected) streams.add(stream);
  }
  const names = [...streams];
  const values = [textArray(sources), textArray(ids), textArray(names)];
  const { rows } = await client.query<{ versions: string | null; repeated: Repeated[] | null }>({
    ...LOCK_HEAD,
    values,
  });
  const { versions, repeated } = rows[0]!;
  const events = new Map(
    repeated?.map(([n, fingerprint, position, version, leafHash, acceptedMs]) => {
      const receipt = {
        id: ids[n]!,
        position,
        version,
        leafHash: fromHex(leafHash),
        acceptedAt: beijingTime(acceptedMs),
      };
      return [`${sources[n]}\0${ids[n]}`, { fingerprint: fromHex(fingerprint), receipt }];
    }),
  );
  const found = versions?.split(',').map((pair) => pair.split(':').map(Number)) ?? [];
  return { events, versions: new Map(found.map(([n, version]) => [names[n!]!, version!])) };
}

/** Index among those asked for, fingerprint, position, version, leaf hash, epoch of acceptance. */
type Repeated = [number, string, number, number, string, number];

const fromHex = (text: string): Buffer => Buffer.from(text, 'hex');

async function ride(
  client: pg.ClientBase,
  events: PreparedEvent[],
  receipts: AppendReceipt[],
  riders: Readonly<Record<string, Rider>>,
): Promise<void> {
  const loads = new Map<string, RiderRow[]>();
  events.forEach(({ event }, i) => {
    for (const name in event.riders) {
      const { position, leafHash, acceptedAt } = receipts[i]!;
      const row = { position, leafHash, acceptedAt, row: event.riders[name] };
      const load = loads.get(name);
      if (load) load.push(row);
      else loads.set(name, [row]);
    }
  });
  for (const [name, load] of loads) await riders[name]!(client, load);
}

function withReceipts(
  settled: Settled<AppendReceipt>,
  stored: AppendReceipt[],
  gate: PreparedCommand['gate'],
): AppendOutcome {
  if (!('receipts' in settled)) return settled;
  const receipts = settled.receipts.map((ref) => (typeof ref === 'number' ? stored[ref]! : ref));
  if (!gate || settled.status !== 'appended') return { status: settled.status, receipts };
  return { status: settled.status, receipts: receipts.slice(gate.events.length), gated: true };
}
