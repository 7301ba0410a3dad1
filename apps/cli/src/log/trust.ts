// Whom a verifier trusts: the log of a key, or the log and the witnesses of a policy; and what to say where that fails.
import { readFile } from 'node:fs/promises';
import { toBeijingTime } from '@liandun/contracts';
import {
  openCheckpoint,
  parsePolicy,
  parseVerifierKey,
  requireQuorum,
  TransparencyLogError,
  type OpenedCheckpoint,
  type TrustPolicy,
  type VerifierKey,
} from '@liandun/transparency-log';
import type { Context } from '../context.js';
import { CliError, EXIT, usageError } from '../exit-codes.js';

export interface TrustOptions {
  vkey?: string;
  policy?: string;
}

export interface Cosigned {
  witness: string;
  at: string;
}

/** The witnesses of the policy that have cosigned. */
export const cosignedBy = ({ signatures }: Pick<OpenedCheckpoint, 'signatures'>): Cosigned[] =>
  signatures.flatMap(({ key, timeSec }) =>
    timeSec === undefined ? [] : [{ witness: key.name, at: toBeijingTime(new Date(timeSec * 1000)) }],
  );

/** The policy of --policy, else the log of --vkey, else what the settings name; a policy without logs gets that log, too. */
export async function policyOf(context: Context, { vkey, policy: given }: TrustOptions): Promise<TrustPolicy> {
  const file = given ?? (vkey === undefined ? context.setting('LIANDUN_WITNESSES') : undefined);
  if (file === undefined) return logPolicy(context, vkey);
  const policy = parsePolicy(await readFile(context.path(file), 'utf8'));
  return policy.logs.length > 0 ? policy : { ...policy, logs: logPolicy(context, vkey).logs };
}

function logPolicy(context: Context, vkey: string | undefined): TrustPolicy {
  const key = vkey ?? context.setting('LOG_VKEY');
  if (!key) {
    throw usageError(
      'NO_VKEY',
      'Say which log you trust: --vkey with its verifier key, or --policy with a file (C2SP tlog-policy).',
      '请用 --vkey 给出日志的验证公钥，或用 --policy 给出信任策略文件（C2SP tlog-policy）。',
    );
  }
  return {
    logs: [verifierKey(key, vkey === undefined ? 'LOG_VKEY' : '--vkey')],
    witnesses: new Map(),
    urls: new Map(),
    quorum: { threshold: 0, members: [] },
  };
}

/** A key that a setting or an option names; a bad one is its writer's mistake, and proves nothing against the log. */
export function verifierKey(vkey: string, namedBy: string): VerifierKey {
  try {
    const key = parseVerifierKey(vkey);
    if (key.use === 'log') return key;
    throw new TransparencyLogError('MALFORMED_KEY', "This is a witness's key", '这是见证方的密钥');
  } catch (error) {
    if (!(error instanceof TransparencyLogError)) throw error;
    throw usageError(
      'BAD_VKEY',
      `${namedBy} ${vkey}: ${error.message}`,
      `${namedBy} ${vkey} 不是日志的验证公钥：${error.messageZh}`,
    );
  }
}

export function trusted(signed: string, policy: TrustPolicy): OpenedCheckpoint {
  const opened = openCheckpoint(signed, { logs: policy.logs, witnesses: [...policy.witnesses.values()] });
  requireQuorum(policy, opened.signatures);
  return opened;
}

/** What the log's own checks find is told as what it is: proof against the log or against whoever serves it. */
export async function provable<T>(context: Context, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TransparencyLogError)) throw error;
    const { code, message, messageZh } = error;
    context.note(context.t('The log could not be verified.', '日志验证未通过。'));
    throw new CliError(EXIT.failed, code, `${code}: ${message}`, `${code}：${messageZh}`);
  }
}
