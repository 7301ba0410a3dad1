import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import { reasonToRead, type ReadingOptions } from './caller.js';
import { render, timeText } from '../render/render.js';
import type { CommonOptions } from './common.js';

export type FloodOptions = CommonOptions & ReadingOptions;

interface Flood {
  memberId: string;
  cases: number;
  since: string;
  until: string;
  /** Up to which position the cases were counted: what comes later isn't decided with them. */
  upTo: number;
  codes: { code: string; tier: number; cases: number }[];
}

async function floodsFor(context: Context, options: FloodOptions): Promise<Flood[]> {
  const client = context.client(options.as);
  return (await client.get<{ items: Flood[] }>('/v1/floods', await reasonToRead(context, client, options))).items;
}

/** What is held because its publisher went over its limits (rule P21). */
export async function listFloods(context: Context, options: FloodOptions): Promise<ExitCode> {
  const items = await floodsFor(context, options);
  context.print(options.json ? JSON.stringify({ items }) : listText(context, items));
  return EXIT.done;
}

function listText(context: Context, items: Flood[]): string {
  const t = context.t.bind(context);
  if (items.length === 0) return t('nothing is held', '没有被暂缓的记录');
  const heading = [t('publisher', '发布方'), t('cases', '件数'), t('since', '起'), t('codes', '事由')];
  const rows = items.map(({ memberId, cases, since, codes }) => [
    memberId,
    String(cases),
    timeText(since),
    codes.map(({ code, cases: count }) => `${code} ${count}`).join(', '),
  ]);
  return table([heading, ...rows], { columns: context.columns, whole: [0, 2] });
}

/** A second person lets out what is held, or refuses it: then nobody is ever told. */
export async function decideFlood(
  context: Context,
  memberId: string,
  decision: 'release' | 'refuse',
  options: FloodOptions,
): Promise<ExitCode> {
  const flood = (await floodsFor(context, options)).find((each) => each.memberId === memberId);
  if (!flood) {
    context.print(options.json ? '{}' : context.t(`nothing of ${memberId} is held`, `${memberId} 没有被暂缓的记录`));
    return EXIT.done;
  }
  const path = `/v1/floods/${encodeURIComponent(memberId)}/decision`;
  const answer = await context.client(options.as).post<object>(path, { decision, upTo: flood.upTo });
  context.print(options.json ? JSON.stringify(answer) : render(context, answer).join('\n'));
  return EXIT.done;
}
