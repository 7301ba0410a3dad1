import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { SUBMITTED_TYPES, toBeijingTime } from '@liandun/contracts';
import type {
  Case,
  CaseNotified,
  Cause,
  MerchantDelisted,
  MerchantReinstated,
  MerchantReported,
  Shop,
} from '@liandun/contracts';
import type { Draft } from '@liandun/sdk';
import type { Context } from '../context.js';
import { usageError } from '../exit-codes.js';
import { identityOf, type IdentityOptions } from './identity-options.js';

/** The fields of a payload class, without the class. */
type Plain<T> = Pick<T, keyof T>;

export interface DraftOptions extends IdentityOptions {
  report?: string;
  delist?: string;
  reinstate?: string;
  notified?: string;
  notifiedAt?: string;
  id?: string;
  shop?: string[];
  closed?: boolean;
  reason?: string;
  standard?: string;
  decisionNo?: string;
  evidence?: string[];
  attest?: boolean;
  decidedAt?: string;
  decidedBy?: string;
  appealUrl?: string;
  expiresAt?: string;
  urgency?: string;
  emergency?: string;
  hearing?: string;
  itemRule?: string;
  cause?: string;
}

/** The event that the options describe; undefined where they describe none and a file is meant. */
export async function draftOf(context: Context, options: DraftOptions): Promise<Draft | undefined> {
  const asked = [options.report, options.delist, options.reinstate, options.notified].filter((id) => id !== undefined);
  if (asked.length === 0) return undefined;
  if (asked.length > 1) {
    throw usageError(
      'ONE_EVENT',
      'Give one of --report, --delist, --reinstate and --notified.',
      '--report、--delist、--reinstate、--notified 只能选其一。',
    );
  }
  const id = options.id === undefined ? {} : { id: options.id };
  if (options.report !== undefined)
    return { ...id, type: SUBMITTED_TYPES.merchantReported, data: await reported(context, options.report, options) };
  if (options.delist !== undefined)
    return { ...id, type: SUBMITTED_TYPES.merchantDelisted, data: await delisted(context, options.delist, options) };
  if (options.notified !== undefined)
    return { ...id, type: SUBMITTED_TYPES.caseNotified, data: notified(options.notified, options) };
  return { ...id, type: SUBMITTED_TYPES.merchantReinstated, data: reinstated(options) };
}

async function reported(context: Context, merchantId: string, options: DraftOptions): Promise<MerchantReported> {
  const status = options.closed ? 'closed' : 'active';
  return { merchantId, identity: await identityOf(context, options), shops: shopsOf(options.shop), status };
}

async function delisted(context: Context, merchantId: string, options: DraftOptions): Promise<MerchantDelisted> {
  const identity = await identityOf(context, options);
  const facts = caseOf(context, options);
  return { merchantId, identity, shops: shopsOf(options.shop), ...facts, terminatedAt: facts.decidedAt };
}

function reinstated(options: DraftOptions): MerchantReinstated {
  return {
    delistingId: options.reinstate,
    cause: needed(options.cause, '--cause') as Cause,
    decidedAt: options.decidedAt ?? toBeijingTime(new Date()),
    decidedBy: needed(options.decidedBy, '--decided-by'),
  };
}

/** Its publisher told the subject of a case that others were told of at once (rule P06). */
function notified(caseId: string, options: DraftOptions): CaseNotified {
  return {
    caseId,
    notifiedAt: options.notifiedAt ?? toBeijingTime(new Date()),
    notifiedBy: needed(options.decidedBy, '--decided-by'),
  };
}

function caseOf(context: Context, options: DraftOptions): Plain<Case> {
  if (!options.attest) {
    throw usageError(
      'NOT_ATTESTED',
      'A delisting needs --attest: you attest reasonable grounds, clear and checked evidence, conduct that fits the code, and that service was really terminated.',
      '清退须附 --attest：声明理由充分、证据清楚且已核实、行为符合所选代码、服务确已终止。',
    );
  }
  const evidence = (options.evidence ?? []).map((file) => evidenceOf(context, file));
  const optional = {
    ...(options.expiresAt && { expiresAt: options.expiresAt }),
    ...(options.urgency && { urgency: options.urgency as 'fraud' }),
    ...(options.itemRule && { itemRule: options.itemRule }),
    ...(options.emergency && { emergency: parts(options.emergency, '--emergency', ['name', 'from', 'to']) as never }),
    ...(options.hearing && {
      hearing: parts(options.hearing, '--hearing', ['notifiedAt', 'endedAt', 'answer']) as never,
    }),
  };
  return {
    reason: { code: needed(options.reason, '--reason') },
    proof: {
      standard: (options.standard ?? 'platformFinding') as 'platformFinding',
      ...(options.decisionNo && { decisionNo: options.decisionNo }),
      evidence: evidence.length > 0 ? evidence : missing('--evidence'),
    },
    attestation: { grounds: true, evidence: true, code: true, terminated: true },
    decidedAt: options.decidedAt ?? toBeijingTime(new Date()),
    decidedBy: needed(options.decidedBy, '--decided-by'),
    appealUrl: needed(options.appealUrl, '--appeal-url'),
    ...optional,
  };
}

const MEDIA_TYPES: Record<string, string> = {
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.json': 'application/json',
  '.mp4': 'video/mp4',
  '.txt': 'text/plain',
};

/** A file as evidence: only its hash leaves this machine. */
export function evidenceOf(context: Context, file: string): Case['proof']['evidence'][number] {
  try {
    const path = context.path(file);
    return {
      sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
      mediaType: MEDIA_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
      capturedAt: toBeijingTime(statSync(path).mtime),
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usageError(
      'NO_EVIDENCE',
      `--evidence ${file} cannot be read: ${code}.`,
      `--evidence ${file} 无法读取：${code}。`,
    );
  }
}

/** `shopId|name|url` */
function shopsOf(given: string[] = []): Shop[] {
  return given.map((text) => parts(text, '--shop', ['shopId', 'name', 'url'], '|') as unknown as Shop);
}

function parts(text: string, option: string, names: string[], separator = ','): Record<string, string> {
  const values = text.split(separator).map((part) => part.trim());
  if (values.length !== names.length || values.includes('')) {
    const form = names.join(separator);
    throw usageError('BAD_OPTION', `${option} "${text}": write ${form}.`, `${option} "${text}"：请写成 ${form}。`);
  }
  return Object.fromEntries(names.map((name, i) => [name, values[i] as string]));
}

function needed(value: string | undefined, option: string): string {
  return value ?? missing(option);
}

function missing(option: string): never {
  throw usageError('OPTION_MISSING', `${option} is missing.`, `缺少 ${option}。`);
}
