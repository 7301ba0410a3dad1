import { readFileSync } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { SUBJECT_KINDS } from '@liandun/contracts';
import type { Identity, SubjectKind } from '@liandun/contracts';
import type { Context } from '../context.js';
import { usageError } from '../exit-codes.js';

/** The identity fields as options of a command. */
export interface IdentityOptions {
  kind?: string;
  name?: string;
  uscc?: string;
  registrationNumber?: string;
  residentId?: string;
  phone?: string[];
  email?: string[];
  bankAccount?: string[];
  address?: string;
  region?: string;
  identity?: string;
}

/** @throws CliError naming the option that is missing or wrong */
export async function identityOf(context: Context, options: IdentityOptions): Promise<Identity> {
  if (options.identity !== undefined) return (await readJson(context, options.identity)) as Identity;
  const { kind = 'organization', name } = options;
  if (!(SUBJECT_KINDS as readonly string[]).includes(kind)) {
    throw usageError(
      'BAD_KIND',
      `--kind ${kind}: one of ${SUBJECT_KINDS.join(', ')}.`,
      `--kind ${kind}：须为 ${SUBJECT_KINDS.join('、')} 之一。`,
    );
  }
  if (!name) {
    throw usageError(
      'NO_NAME',
      '--name is missing: the registered name, or --identity FILE with the whole identity.',
      '缺少 --name：登记名称；或用 --identity FILE 给出完整身份信息。',
    );
  }
  const { uscc, registrationNumber, residentId, phone, email, bankAccount, address, region } = options;
  return {
    kind: kind as SubjectKind,
    name,
    ...(uscc && { uscc }),
    ...(registrationNumber && { registrationNumber }),
    ...(residentId && { residentId }),
    ...(phone?.length && { phones: phone }),
    ...(email?.length && { emails: email }),
    ...(bankAccount?.length && { bankAccounts: bankAccount }),
    ...(address && { address }),
    ...(region && { regionCode: region }),
  };
}

/** The text of a file, or of the standard input for `-`. */
export async function readText(context: Context, file: string): Promise<string> {
  if (file === '-') return textOf(context.around.stdin);
  return readFileSync(context.path(file), 'utf8');
}

/** @throws CliError naming the file and where its JSON breaks off */
export async function readJson(context: Context, file: string): Promise<unknown> {
  return parseJson(await readText(context, file), file);
}

export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const why = (error as Error).message;
    throw usageError('BAD_JSON', `${where} is not JSON: ${why}`, `${where} 不是有效的 JSON：${why}`);
  }
}
