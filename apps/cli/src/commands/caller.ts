import type { LiandunClient } from '@liandun/sdk';
import type { MemberRole } from '@liandun/contracts';
import type { Context } from '../context.js';
import { usageError } from '../exit-codes.js';

/** Why a regulator reads (rule P20): the ledger logs it before it answers. Others needn't say. */
export interface ReadingOptions {
  purpose?: string;
  case?: string;
}

/** The role that the ledger's own token gives the member. */
export async function roleOf(client: LiandunClient): Promise<MemberRole | undefined> {
  const [, payload = ''] = (await client.token()).split('.');
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { role?: MemberRole }).role;
  } catch {
    return undefined; // an opaque token says nothing, and the ledger decides
  }
}

/**
 * What a read says of itself: for a regulator purpose and case, for others nothing.
 * @throws CliError naming the option that a regulator left out, before anything is asked for
 */
export async function reasonToRead(
  context: Context,
  client: LiandunClient,
  { purpose, case: caseNo }: ReadingOptions,
): Promise<{ purpose: string; caseNo: string } | undefined> {
  if (purpose !== undefined && caseNo !== undefined) return { purpose, caseNo };
  if ((await roleOf(client)) !== 'regulator') return undefined;
  const missing = [...(purpose === undefined ? ['--purpose'] : []), ...(caseNo === undefined ? ['--case'] : [])];
  throw usageError(
    'PURPOSE_REQUIRED',
    `A regulator says why it reads, and that is logged: add ${missing.join(' and ')}.`,
    `监管端查阅须说明目的与案号，并将被记录：请加 ${missing.join(' 和 ')}。`,
  );
}
