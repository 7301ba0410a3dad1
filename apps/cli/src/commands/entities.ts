import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import {
  decisionRows,
  entityLine,
  outcomeWord,
  pairLines,
  relationWord,
  type Decision,
  type EntitySide,
  type Pair,
  type Related,
  type Sentence,
} from '../render/who.js';
import { entityText, type EntityPage } from '../render/entity.js';
import { reasonToRead, type ReadingOptions } from './caller.js';
import type { CommonOptions } from './common.js';

export type EntityReadOptions = CommonOptions & ReadingOptions;

/** As GET /v1/entities/{entityId}/apart/{other} answers. */
export interface WhyApart {
  outcome: string;
  entities: [EntitySide, EntitySide];
  reasons: Sentence[];
  decided?: Decision;
  related: Related[];
  matcher: string;
  compared: { records: number; of: number }[];
  pairs: Pair[];
}

/** What the ledger knows of one entity: all to a regulator, its own facts to a platform. */
export async function showEntity(context: Context, entityId: string, options: EntityReadOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const why = await reasonToRead(context, client, options);
  const page = await client.get<EntityPage>(`/v1/entities/${encodeURIComponent(entityId)}`, why);
  context.print(options.json ? JSON.stringify(page) : entityText(context, page));
  return EXIT.done;
}

/** Why two entities aren't one: regulators only, and the read itself is logged. */
export async function whyNot(
  context: Context,
  one: string,
  other: string,
  options: EntityReadOptions,
): Promise<ExitCode> {
  const client = context.client(options.as);
  const why = await reasonToRead(context, client, options);
  const path = `/v1/entities/${encodeURIComponent(one)}/apart/${encodeURIComponent(other)}`;
  const answer = await client.get<WhyApart>(path, why);
  context.print(options.json ? JSON.stringify(answer) : whyNotText(context, answer));
  return EXIT.done;
}

/** The verdict, both entities, every reason, then the pairs of records that it is seen at. */
export function whyNotText(context: Context, answer: WhyApart): string {
  const { outcome, entities, reasons, decided, related, compared, pairs, matcher } = answer;
  const t = context.t.bind(context);
  const reasonsOf = reasons.map(({ en, zh }) => `  ${t(en, zh)}`);
  const [one, other] = compared;
  const cut = compared.some(({ records, of }) => records < of);
  return [
    `${outcomeWord(context, outcome)}${t(':', '：')}`,
    ...reasonsOf,
    '',
    ...entities.map((entity) => entityLine(context, entity)),
    ...(related.length === 0
      ? []
      : [
          `${t('related: ', '关联：')}${related.map((relation) => relationWord(context, relation)).join(t(', ', '、'))}`,
        ]),
    ...(decided ? ['', ...table(decisionRows(context, decided), { columns: Infinity }).split('\n')] : []),
    ...pairs.flatMap((pair) => ['', ...pairLines(context, pair)]),
    ...(cut && one && other
      ? [
          '',
          t(
            `compared: ${one.records} of ${one.of} records with ${other.records} of ${other.of}`,
            `已比对：${one.of} 条中的 ${one.records} 条与 ${other.of} 条中的 ${other.records} 条`,
          ),
        ]
      : []),
    '',
    `${t('matcher', '匹配器')} ${matcher}`,
  ].join('\n');
}
