import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { memberSource, toBeijingTime } from '@liandun/contracts';
import type { CloudEvent, Receipt } from '@liandun/contracts';
import type { LiandunClient, Preview } from '@liandun/sdk';
import { randomUUID } from 'node:crypto';
import type { Context } from '../context.js';
import { usageError, type ExitCode } from '../exit-codes.js';
import { labelOf, wordOf } from '../render/render.js';
import { codeOfReceipts, problemText, receiptText, type CommonOptions } from './common.js';
import { parseJson } from './identity-options.js';
import { draftOf, type DraftOptions } from './publish-draft.js';

export interface PublishOptions extends CommonOptions, DraftOptions {
  dryRun?: boolean;
  preview?: boolean;
}

/**
 * Publishes events of a file, of the standard input, or the one that the options describe; prints a receipt for each.
 * An envelope field that is missing is filled in: `source` with the member, `time` with now, `id` with a new one.
 */
export async function publish(context: Context, file: string | undefined, options: PublishOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const draft = await draftOf(context, options);
  if (draft && file !== undefined) {
    throw usageError(
      'TWO_SOURCES',
      'Give a file, or --report, --delist, --reinstate or --notified, not both.',
      '文件与 --report、--delist、--reinstate、--notified 只能二选一。',
    );
  }
  const events = draft ? [client.event(draft)] : eventsOf(context, file ?? '-', client.memberId);
  if (options.dryRun) {
    for await (const event of events) context.print(JSON.stringify(event, undefined, options.json ? undefined : 2));
    return 0;
  }
  if (options.preview) return previewAll(context, client, events, options);
  let rejected = 0;
  let count = 0;
  const receipts = draft ? [await client.publish(client.event(draft))] : client.publishStream(events);
  for await (const receipt of receipts as AsyncIterable<Receipt>) {
    count += 1;
    if (receipt.status === 'rejected') rejected += 1;
    context.print(options.json ? JSON.stringify(receipt) : receiptText(context, receipt));
  }
  if (!options.json && count > 1) {
    context.note(context.t(`${count} events, ${rejected} refused`, `${count} 个事件，拒绝 ${rejected}`));
  }
  return codeOfReceipts(rejected);
}

/** What the ledger would answer to each, with what it touches; the ledger stores nothing (rule P21). */
async function previewAll(
  context: Context,
  client: LiandunClient,
  events: AsyncIterable<CloudEvent> | Iterable<CloudEvent>,
  options: PublishOptions,
): Promise<ExitCode> {
  let rejected = 0;
  for await (const event of events) {
    const preview = await client.preview(event);
    if (preview.would === 'rejected') rejected += 1;
    context.print(
      options.json ? JSON.stringify({ id: event.id, ...preview }) : previewText(context, event.id, preview),
    );
  }
  return codeOfReceipts(rejected);
}

export function previewText(context: Context, id: string, preview: Preview): string {
  const { would, heldBecause, problem, subjects, identifiers, limits } = preview;
  const t = context.t.bind(context);
  const named = (some: Preview['identifiers']): string =>
    some.map(({ field }) => labelOf(context, field)).join(t(', ', '、'));
  const hubs = identifiers.filter(({ hub }) => hub);
  const reasons = heldBecause.map((why) => wordOf(context, 'heldBecause', why)).join(t(', ', '、'));
  const because = reasons === '' ? '' : t(` (${reasons})`, `（${reasons}）`);
  return [
    `${t('would be', '将被')}${t(' ', '')}${wordOf(context, 'would', would)}${because}  ${id}`,
    ...(problem ? [problemText(context, problem)] : []),
    `${t('subjects', '主体')} ${subjects}, ${t('identifiers', '标识')} ${named(identifiers) || '0'}`,
    ...(hubs.length > 0
      ? [t(`shared by many merchants, check these: ${named(hubs)}`, `为众多商户共用，请核对：${named(hubs)}`)]
      : []),
    `${t('last hour', '最近一小时')} ${limits.lastHour}/${limits.subjectsPerHour ?? '-'}, ${t('today', '当日')} ${limits.today}/${limits.subjectsPerDay ?? '-'}`,
  ].join('\n  ');
}

/** One event, a JSON array of events, or NDJSON of any length: told apart by how the text begins. */
async function* eventsOf(context: Context, file: string, memberId: string): AsyncGenerator<CloudEvent> {
  const input = file === '-' ? context.around.stdin : createReadStream(context.path(file));
  let whole: string[] | undefined;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity }) as AsyncIterable<string>) {
    number += 1;
    if (whole) whole.push(line);
    else if (line.replace(/^\uFEFF/, '').trim() === '') continue;
    // A first line that is no document of its own begins one of several lines.
    else if (number === 1 && !isObject(line)) whole = [line];
    else yield complete(parseJson(line, `${file}:${number}`), memberId, `${file}:${number}`);
  }
  if (!whole) {
    if (number === 0) throw usageError('EMPTY_FILE', `${file}: nothing to publish.`, `${file}：没有可发布的内容。`);
    return;
  }
  const document = parseJson(whole.join('\n'), file);
  for (const [i, event] of (Array.isArray(document) ? document : [document]).entries()) {
    yield complete(event, memberId, `${file}#${i}`);
  }
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function complete(value: unknown, memberId: string, where: string): CloudEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(
      'NOT_AN_EVENT',
      `${where} is not a CloudEvent (a JSON object with type and data).`,
      `${where} 不是 CloudEvent（应为含 type 和 data 的 JSON 对象）。`,
    );
  }
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: memberSource(memberId),
    time: toBeijingTime(new Date()),
    ...value,
  } as CloudEvent;
}
