import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { CommonOptions } from './common.js';

export interface TokenOptions extends CommonOptions {
  audience: 'liandun' | 'liandun-kafka';
}

/** Prints an access token of five minutes at most, for curl (`liandun`) or a Kafka client (`liandun-kafka`). */
export async function token(context: Context, options: TokenOptions): Promise<ExitCode> {
  const accessToken = await context.client(options.as).token(options.audience);
  context.print(options.json ? JSON.stringify({ accessToken }) : accessToken);
  return EXIT.done;
}
