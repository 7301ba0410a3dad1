import {
  canonicalJson,
  formatVerifierKey,
  isQuorum,
  parsePolicy,
  TransparencyLogError,
  type TrustPolicy,
  type VerifierKey,
} from '@liandun/transparency-log';
import { hash } from 'node:crypto';

/** A witness that the ledger asks. */
export interface PolicyWitness {
  /** Its key's own name, for people. */
  name: string;
  key: VerifierKey;
  vkey: string;
  /** Its submission prefix (C2SP tlog-witness), without a slash at the end. */
  url: string;
}

/** Whom the ledger asks to cosign its checkpoints, and whose cosignatures are enough to show one. */
export interface WitnessPolicy {
  /** The same for every text that asks for the same cosignatures. */
  id: Buffer;
  trust: TrustPolicy;
  witnesses: readonly PolicyWitness[];
}

// A note has at most 64 signatures, the log's own among them.
const WITNESSES_MAX = 60;

/**
 * Reads a policy file (C2SP tlog-policy) for the ledger's own use: each witness with the URL at which it is asked. MALFORMED_POLICY
 * or MALFORMED_KEY, also where it is a policy for other logs than `log`.
 */
export function witnessPolicy(text: string, log?: VerifierKey): WitnessPolicy {
  const trust = parsePolicy(text);
  const witnesses = [...trust.witnesses.values()].map((key) => witnessOf(key, trust.urls.get(key)));
  if (witnesses.length > WITNESSES_MAX)
    throw malformed(`More than ${WITNESSES_MAX} witnesses`, `见证方超过 ${WITNESSES_MAX} 个`);
  if (log && trust.logs.length > 0 && !trust.logs.some(({ key }) => key.equals(log.key))) {
    throw malformed(
      `It names other logs, but not ${formatVerifierKey(log)}`,
      `所列为其他日志，而没有 ${formatVerifierKey(log)}`,
    );
  }
  const named = Object.fromEntries([...trust.witnesses].map(([name, key]) => [name, formatVerifierKey(key)]));
  return { id: hash('sha256', canonicalJson({ named, quorum: trust.quorum }), 'buffer'), trust, witnesses };
}

/** Whether these witnesses are enough. */
export function isEnough({ trust }: WitnessPolicy, witnesses: readonly PolicyWitness[]): boolean {
  return isQuorum(trust, witnesses);
}

function witnessOf(key: VerifierKey, url: string | undefined): PolicyWitness {
  if (url === undefined || !URL.canParse(url) || !/^https?:\/\//.test(url)) {
    throw malformed(
      `The line of witness ${key.name} must end in the URL at which it is asked`,
      `见证方 ${key.name} 的行须以其访问地址结尾`,
    );
  }
  return { name: key.name, key, vkey: formatVerifierKey(key), url: url.replace(/\/+$/, '') };
}

const malformed = (message: string, messageZh: string) =>
  new TransparencyLogError('MALFORMED_POLICY', message, messageZh);
