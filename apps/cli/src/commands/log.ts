import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  leafHash,
  openCheckpoint,
  tileNodes,
  tilePath,
  TILE_WIDTH,
  TransparencyLogError,
  treeRoot,
  verifyLog,
  type OpenedCheckpoint,
  type TrustPolicy,
} from '@liandun/transparency-log';
import type { Context } from '../context.js';
import { CliError, EXIT, type ExitCode } from '../exit-codes.js';
import { notInLog, proveIncluded } from '../log/inclusion.js';
import { SignatureCheck } from '../log/signatures.js';
import { cosignedBy, policyOf, provable, trusted, type Cosigned, type TrustOptions } from '../log/trust.js';
import { timeText } from '../render/render.js';
import { filesOf, sourceOf, type ReadFile } from '../log/source.js';
import type { CommonOptions } from './common.js';

export interface LogOptions extends CommonOptions, TrustOptions {
  from?: string;
  tokenOf?: string;
}

export interface VerifyOptions extends LogOptions {
  checkpoint?: string[];
}

export interface ExportOptions extends LogOptions {
  out: string;
}

const PAGE_NOTICES = 500;
const PROGRESS_EVERY_MS = 2_000;
const CHECKPOINT_WAIT_MS = 200;
const CHECKPOINT_TRIES_MAX = 50;

/**
 * Reads the whole log and checks every entry, every tile and the checkpoint; with `--checkpoint` also that older checkpoints are
 * of the same log, with `--as` that every notice which the platform received stands in it. The signatures of
 * publishers are checked against the keys in the log. Where the entries are closed to who
 * asks, the notices are proven from the public hash tiles alone.
 */
export async function verify(context: Context, options: VerifyOptions): Promise<ExitCode> {
  const log = await openLog(context, options);
  const notices = options.as === undefined ? new Map<number, string>() : await receivedBy(context, options.as);
  const checkpoint = await log.checkpoint(newestOf(notices));
  const beganMs = performance.now();
  const signatures = new SignatureCheck();
  let entriesRead = true;
  await provable(context, async () => {
    try {
      await verifyEntries(context, log, checkpoint, notices, signatures);
    } catch (error) {
      if (options.as === undefined || !(error instanceof CliError) || error.code !== 'ENTRIES_CLOSED') throw error;
      entriesRead = false;
      await proveIncluded(log.read, checkpoint, notices);
    }
    for (const path of options.checkpoint ?? []) await requireStart(context, log, path, checkpoint);
  });
  const result: Verified = {
    entries: checkpoint.size,
    rootHash: checkpoint.rootHash.toString('base64'),
    entriesRead,
    notices: notices.size,
    signed: signatures.signed,
    cosigned: cosignedBy(checkpoint),
    seconds: (performance.now() - beganMs) / 1000,
  };
  if (options.json) context.print(JSON.stringify({ verified: true, ...result }));
  else context.print(verifiedText(context, checkpoint, options, result));
  return EXIT.done;
}

interface Verified {
  entries: number;
  rootHash: string;
  /** False where only the notices were looked for. */
  entriesRead: boolean;
  /** All that were received are in the log. */
  notices: number;
  /** Entries with their publisher's signature; every one is valid. */
  signed: number;
  /** The witnesses of the policy whose cosignatures the checkpoint carries. */
  cosigned: Cosigned[];
  seconds: number;
}

const newestOf = (notices: ReadonlyMap<number, string>): number =>
  [...notices.keys()].reduce((newest, position) => Math.max(newest, position), -1);

async function verifyEntries(
  context: Context,
  log: OpenLog,
  checkpoint: OpenedCheckpoint,
  notices: ReadonlyMap<number, string>,
  signatures: SignatureCheck,
): Promise<void> {
  const tell = progress(context, checkpoint.size);
  for await (const { index, entries } of verifyLog(sourceOf(log.read, checkpoint.size), checkpoint)) {
    for (const [i, entry] of entries.entries()) {
      const position = index * TILE_WIDTH + i;
      const expected = notices.get(position);
      if (expected !== undefined && leafHash(entry).toString('base64') !== expected) throw notInLog(position);
      await signatures.take(position, entry);
    }
    tell(index * TILE_WIDTH + entries.length);
  }
}

function verifiedText(
  context: Context,
  { origin }: OpenedCheckpoint,
  { as, checkpoint = [] }: VerifyOptions,
  { entries, rootHash, entriesRead, notices, signed, cosigned, seconds }: Verified,
): string {
  const t = context.t.bind(context);
  const time = seconds.toFixed(1);
  return [
    `${context.colors.green('✓')} ${origin}`,
    entriesRead
      ? t(
          `  ${entries} entries and all tiles are those of the checkpoint (${time} s), root ${rootHash}`,
          `  ${entries} 条记录及全部分片与检查点一致（${time} 秒），根 ${rootHash}`,
        )
      : t(
          `  checkpoint over ${entries} entries, root ${rootHash}; the entries are for regulators and were not read`,
          `  检查点覆盖 ${entries} 条记录，根 ${rootHash}；记录仅限监管端，未读取`,
        ),
    ...(signed > 0
      ? [
          t(
            `  ${signed} entries are signed by their publishers, all validly`,
            `  ${signed} 条记录附有发送方签名，全部有效`,
          ),
        ]
      : []),
    ...cosigned.map(({ witness, at }) =>
      t(`  cosigned by ${witness} at ${timeText(at)}`, `  ${witness} 已于 ${timeText(at)} 联署`),
    ),
    ...(checkpoint.length > 0
      ? [
          t(
            `  ${checkpoint.length} older checkpoints are of this log`,
            `  ${checkpoint.length} 个较早检查点属于同一日志`,
          ),
        ]
      : []),
    ...(as === undefined
      ? []
      : [t(`  ${notices} notices to ${as} are in it`, `  发给 ${as} 的 ${notices} 条通知均在其中`)]),
  ].join('\n');
}

/** Writes a folder that any web server can serve as the log; what is written was verified. */
export async function exportLog(context: Context, options: ExportOptions): Promise<ExitCode> {
  const log = await openLog(context, options);
  const checkpoint = await log.checkpoint(-1);
  const out = context.path(options.out);
  const keep: ReadFile = async (path) => {
    const bytes = await log.read(path);
    await writeWhole(join(out, path), bytes);
    return bytes;
  };
  const tell = progress(context, checkpoint.size);
  await provable(context, async () => {
    for await (const { index, entries } of verifyLog(sourceOf(keep, checkpoint.size), checkpoint)) {
      tell(index * TILE_WIDTH + entries.length);
    }
  });
  // Last, so that nobody is shown a checkpoint whose tiles are not there.
  await writeWhole(join(out, 'checkpoint'), log.signed());
  const { size } = checkpoint;
  if (options.json) context.print(JSON.stringify({ entries: size, out }));
  else context.print(context.t(`${size} entries, verified: ${out}`, `${size} 条记录，已验证：${out}`));
  return EXIT.done;
}

interface OpenLog {
  read: ReadFile;
  policy: TrustPolicy;
  /** The newest one, as soon as it covers this position. */
  checkpoint(covers: number): Promise<OpenedCheckpoint>;
  /** Its text as it was served. */
  signed(): string;
}

async function openLog(context: Context, options: LogOptions): Promise<OpenLog> {
  const policy = await provable(context, async () => policyOf(context, options));
  const from = options.from ?? `${context.url()}/log`;
  const { tokenOf } = options;
  const client = tokenOf === undefined ? undefined : context.client(tokenOf);
  const read = filesOf(context, from, client && (() => client.token()));
  let signed = '';
  return {
    read,
    policy,
    signed: () => signed,
    checkpoint: async (covers) => {
      for (let tries = 1; ; tries += 1) {
        signed = Buffer.from(await read('checkpoint')).toString();
        const opened = await provable(context, async () => trusted(signed, policy));
        if (opened.size > covers) return opened;
        if (tries === CHECKPOINT_TRIES_MAX) throw notInLog(covers);
        await new Promise((resolve) => void setTimeout(resolve, CHECKPOINT_WAIT_MS));
      }
    },
  };
}

/** Each checkpoint that somebody kept must be a start of the log as it is now. */
async function requireStart(context: Context, log: OpenLog, path: string, newest: OpenedCheckpoint): Promise<void> {
  const older = openCheckpoint(await readFile(context.path(path)), { logs: log.policy.logs });
  if (older.size > newest.size) {
    throw new TransparencyLogError(
      'NOT_CONSISTENT',
      `${path} covers ${older.size} entries, the log has ${newest.size}`,
      `${path} 覆盖 ${older.size} 条记录，而日志只有 ${newest.size} 条`,
    );
  }
  const nodes = tileNodes(newest.size, (tiles) => Promise.all(tiles.map((tile) => log.read(tilePath(tile)))));
  const root = await treeRoot(older.size, nodes);
  if (!root.equals(older.rootHash)) {
    throw new TransparencyLogError(
      'NOT_CONSISTENT',
      `${path} is not a start of this log: the log was forked`,
      `${path} 不是该日志的开头：日志已分叉`,
    );
  }
}

/** The leaf hash of each notice that the platform received, by the position of its entry. */
async function receivedBy(context: Context, memberId: string): Promise<Map<number, string>> {
  const client = context.client(memberId);
  const notices = new Map<number, string>();
  for (let after = -1; ;) {
    const { items } = await client.notices(after, PAGE_NOTICES);
    for (const { data } of items) {
      notices.set(data.position, data.leafHash);
      after = data.seq;
    }
    if (items.length === 0) return notices;
  }
}

/** A line every two seconds, on the error output. */
function progress(context: Context, size: number): (done: number) => void {
  const beganMs = performance.now();
  let saidMs = beganMs;
  return (done) => {
    if (performance.now() - saidMs < PROGRESS_EVERY_MS) return;
    saidMs = performance.now();
    const rate = Math.round(done / ((saidMs - beganMs) / 1000));
    const percent = Math.floor((done / size) * 100);
    context.note(
      context.t(`${percent}%  ${done} of ${size} entries, ${rate}/s`, `${percent}%  ${done}/${size} 条，${rate} 条/秒`),
    );
  };
}

async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.partial`, bytes);
  await rename(`${path}.partial`, path);
}
