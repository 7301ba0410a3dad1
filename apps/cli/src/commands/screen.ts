import type { Screening, ScreeningMatch } from '@liandun/sdk';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { render, wordOf } from '../render/render.js';
import type { CommonOptions } from './common.js';
import { identityOf, type IdentityOptions } from './identity-options.js';

export interface ScreenOptions extends CommonOptions, IdentityOptions {
  purpose: string;
  exitCode?: boolean;
}

/** Asks whether an identity is listed. The answer is the result; with --exit-code the process says it as well. */
export async function screen(context: Context, options: ScreenOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const screening = await client.screen(await identityOf(context, options), options.purpose);
  context.print(options.json ? JSON.stringify(screening) : textOf(context, screening));
  if (!options.exitCode || screening.result === 'clear') return EXIT.done;
  return screening.result === 'listed' ? EXIT.listed : EXIT.possible;
}

function textOf(context: Context, { screeningId, result, matches }: Screening): string {
  const { green, yellow, red, dim } = context.colors;
  const head = {
    clear: green(context.t('clear: not listed', '未列入')),
    possible: yellow(context.t('possible: a person has to look at it', '疑似：需人工核对')),
    listed: red(context.t('listed', '已列入')),
  }[result];
  return [
    head,
    ...matches.map((match) => matchText(context, match)),
    dim(`${context.t('screening', '审查编号')} ${screeningId}`),
  ].join('\n');
}

/** Everything that the ledger told of a match; the code stands with its reason. */
function matchText(context: Context, { listingId, grade, code: _code, ...match }: ScreeningMatch): string {
  const lines = render(context, match, 'matches').map((line) => `    ${line}`);
  return [`  ${wordOf(context, 'grade', grade)}  ${listingId}`, ...lines].join('\n');
}
