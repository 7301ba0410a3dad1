import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { render, tableText } from '../render/render.js';
import { reasonToRead, type ReadingOptions } from './caller.js';
import type { CommonOptions } from './common.js';

export type CoverageOptions = CommonOptions & ReadingOptions;

/** Who was told of a listing and what each of them did; regulators only, and the read itself is logged. */
export async function coverage(context: Context, listingId: string, options: CoverageOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const why = await reasonToRead(context, client, options);
  const path = `/v1/listings/${encodeURIComponent(listingId)}/coverage`;
  const answer = await client.get<Record<string, unknown>>(path, why);
  context.print(options.json ? JSON.stringify(answer) : coverageText(context, answer));
  return EXIT.done;
}

/** Of each notice, what fits a line; the rest is in --json. */
const TOLD = ['member', 'action', 'toldAt', 'decision', 'reasonCode', 'tookMs'];

type Fields = Record<string, unknown>;

/** The figures line by line, whatever the ledger answers with, then a line for each notice. */
export function coverageText(context: Context, { members = [], ...figures }: Fields): string {
  const told = (members as Fields[]).map(({ decision = context.t('none yet', '尚无'), ...row }) => ({
    ...row,
    decision,
  }));
  const fields = TOLD.filter((field) => told.some((row: Fields) => row[field] !== undefined));
  return [
    ...render(context, figures),
    ...(told.length > 0 ? ['', ...tableText(context, 'members', told, fields)] : []),
  ].join('\n');
}
