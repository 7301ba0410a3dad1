import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import {
  explainPair,
  reconcileBatch,
  zhMatcher,
  type BatchApart,
  type BatchRecord,
  type BatchResult,
  type Edge,
} from '@liandun/identity';

const MATCHER = zhMatcher.version;
import type { Context } from '../context.js';
import { EXIT, usageError, type ExitCode } from '../exit-codes.js';
import type { CommonOptions } from './common.js';
import { batchApartText } from '../render/who.js';
import { parseJson } from './identity-options.js';

export interface ReconcileOptions extends CommonOptions {
  out: string;
  explain?: string;
  whyNot?: string;
}

/**
 * Reads one record a line and writes `recordId<TAB>entityId` for each, in the same order, by the ledger's own matcher, as a set.
 * With `explain`, a line for each with the links and doubts that it is part of; with `whyNot`, why two records aren't one merchant.
 * The output appears whole or not at all.
 */
export async function reconcile(context: Context, input: string, options: ReconcileOptions): Promise<ExitCode> {
  const beganMs = performance.now();
  const asked = options.whyNot === undefined ? undefined : pairOf(options.whyNot);
  let apart: BatchApart | undefined;
  const out = new Output(context.path(options.out));
  const explain = options.explain === undefined ? undefined : new Output(context.path(options.explain));
  let records = 0;
  let entities = 0;
  try {
    const result = await reconcileBatch(recordsOf(context, input));
    apart = asked && whyNotOf(result, asked);
    const reasons = explain && { links: byRecord(result.links), reviews: byRecord(result.reviews) };
    entities = result.entities;
    for (const { recordId, entityId } of result.assignments()) {
      records += 1;
      await out.write(`${recordId}\t${entityId}\n`);
      if (!reasons) continue;
      const links = (reasons.links.get(recordId) ?? []).map((edge) => told(recordId, edge));
      const reviews = (reasons.reviews.get(recordId) ?? []).map((edge) => told(recordId, edge));
      await explain?.write(`${JSON.stringify({ recordId, entityId, matcher: MATCHER, links, reviews })}\n`);
    }
    await out.keep();
    await explain?.keep();
  } catch (error) {
    await out.discard();
    await explain?.discard();
    throw error;
  }
  const seconds = (performance.now() - beganMs) / 1000;
  if (options.json)
    context.print(
      JSON.stringify({ records, entities, matcher: MATCHER, seconds, out: out.path, ...(apart && { whyNot: apart }) }),
    );
  else {
    const took = seconds.toFixed(1);
    context.print(
      context.t(
        `${records} records, ${entities} entities, ${took} s (matcher ${MATCHER}): ${options.out}`,
        `${records} 条记录，${entities} 个主体，${took} 秒（匹配器 ${MATCHER}）：${options.out}`,
      ),
    );
  }
  if (apart && !options.json) context.print(batchApartText(context, apart));
  return EXIT.done;
}

function pairOf(text: string): [one: string, other: string] {
  const [one, other, ...more] = text.split(',').map((id) => id.trim());
  if (one && other && more.length === 0) return [one, other];
  throw usageError(
    'BAD_PAIR',
    `--why-not ${text}: two recordIds are needed, with a comma between them.`,
    `--why-not ${text}：须为两个 recordId，以逗号分隔。`,
  );
}

function whyNotOf(result: BatchResult, [one, other]: [string, string]): BatchApart {
  const apart = result.whyApart(one, other);
  if (apart) return apart;
  throw usageError('NO_RECORD', `${one} or ${other} is no record of the input.`, `输入中没有 ${one} 或 ${other}。`);
}

function byRecord(edges: readonly Edge[]): Map<string, Edge[]> {
  const lists = new Map<string, Edge[]>();
  for (const edge of edges)
    for (const id of [edge.a, edge.b]) {
      const list = lists.get(id);
      if (list) list.push(edge);
      else lists.set(id, [edge]);
    }
  return lists;
}

/** A link or doubt as it is written beside one of its records: no values, only which fields agree how far. */
function told(recordId: string, { a, b, comparison, verdict }: Edge): object {
  const { rule, because, fields } = explainPair(comparison, verdict);
  return { with: a === recordId ? b : a, grade: verdict.grade, rule, because, bits: comparison.bits, fields };
}

async function* recordsOf(context: Context, input: string): AsyncGenerator<BatchRecord> {
  const path = context.path(input);
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  await file.close();
  const raw = createReadStream(path);
  const text: Readable = buffer[0] === 0x1f && buffer[1] === 0x8b ? raw.pipe(createGunzip()) : raw;
  raw.on('error', (error) => text.destroy(error));
  let number = 0;
  let isEmpty = true;
  for await (const line of createInterface({ input: text, crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === '') continue;
    yield recordOf(parseJson(line, `${input}:${number}`), `${input}:${number}`);
    isEmpty = false;
  }
  if (isEmpty) throw usageError('EMPTY_FILE', `${input}: no record in it.`, `${input}：没有任何记录。`);
}

function recordOf(value: unknown, where: string): BatchRecord {
  const record = value as Partial<BatchRecord> | null;
  if (typeof record?.recordId !== 'string' || /[\t\r\n]/.test(record.recordId) || record.recordId === '') {
    throw usageError(
      'BAD_RECORD',
      `${where}: recordId is missing, or not a text without tabs.`,
      `${where}：缺少 recordId，或其不是不含制表符的文本。`,
    );
  }
  const kind: unknown = record.identity?.kind;
  if (kind !== 'organization' && kind !== 'soleProprietor' && kind !== 'person') {
    throw usageError(
      'BAD_RECORD',
      `${where}: identity.kind must be organization, soleProprietor or person.`,
      `${where}：identity.kind 须为 organization、soleProprietor 或 person。`,
    );
  }
  return record as BatchRecord;
}

/** A file that is written beside its place and moved there when complete. */
class Output {
  readonly path: string;
  readonly #partial: string;
  readonly #stream: Writable;

  constructor(path: string) {
    this.path = path;
    this.#partial = `${path}.partial`;
    this.#stream = createWriteStream(this.#partial);
    this.#stream.on('error', () => undefined); // told by the next write
  }

  async write(text: string): Promise<void> {
    if (this.#stream.errored) throw this.#unwritable();
    if (!this.#stream.write(text)) {
      await once(this.#stream, 'drain').catch(() => {
        throw this.#unwritable();
      });
    }
  }

  #unwritable(): Error {
    const why = this.#stream.errored?.message ?? '';
    return usageError('CANNOT_WRITE', `Cannot write ${this.path}: ${why}`, `无法写入 ${this.path}：${why}`);
  }

  async keep(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream).catch(() => {
      throw this.#unwritable();
    });
    await rename(this.#partial, this.path);
  }

  async discard(): Promise<void> {
    this.#stream.destroy();
    await rm(this.#partial, { force: true });
  }
}
