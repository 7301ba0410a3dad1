import { TransparencyLogError } from './errors.js';
import { isSameKey, parseVerifierKey, type KeyUse, type VerifierKey } from './note/key.js';
import type { VerifiedSignature } from './note/signed-note.js';
import { decodeText, parseCount } from './text.js';

const POLICY_BYTES_MAX = 64 * 1024;
const NAMES_MAX = 256;

/** Satisfied by a witness's cosignature, or by at least `threshold` of the members. */
export type Quorum = { witness: string } | { threshold: number; members: Quorum[] };

/** Which logs are trusted, and which witnesses must have cosigned their checkpoints (C2SP tlog-policy). */
export interface TrustPolicy {
  logs: VerifierKey[];
  /** By the name that the policy gives them. */
  witnesses: ReadonlyMap<string, VerifierKey>;
  /** Where each log and witness is reached, by the text of its key, if the policy says so. */
  urls: ReadonlyMap<VerifierKey, string>;
  quorum: Quorum;
}

/** Needs nobody: `quorum none`. */
const NO_QUORUM: Quorum = { threshold: 0, members: [] };

interface Draft {
  logs: VerifierKey[];
  witnesses: Map<string, VerifierKey>;
  urls: Map<VerifierKey, string>;
  /** What a group or the quorum may still name. */
  free: Map<string, Quorum>;
  names: Set<string>;
  quorum?: Quorum;
}

/** Reads a policy file (lines `log`, `witness`, `group`, `quorum`; C2SP tlog-policy); MALFORMED_POLICY or MALFORMED_KEY. */
export function parsePolicy(policy: string): TrustPolicy {
  const draft: Draft = {
    logs: [],
    witnesses: new Map(),
    urls: new Map(),
    free: new Map(),
    names: new Set(['none']),
  };
  const text = decodeText(policy.replaceAll('\t', ' '), POLICY_BYTES_MAX, 'MALFORMED_POLICY');
  for (const line of text.split('\n')) {
    const words = line.split(' ').filter((word) => word !== '');
    if (words.length > 0 && !words[0]!.startsWith('#')) readLine(draft, words);
  }
  const { logs, witnesses, urls, quorum } = draft;
  if (!quorum) throw malformed('There is no quorum line', '缺少 quorum 行');
  return { logs, witnesses, urls, quorum };
}

function readLine(draft: Draft, [keyword = '', ...words]: string[]): void {
  switch (keyword) {
    case 'log':
      draft.logs.push(readKey(draft, 'log', draft.logs, words));
      return;
    case 'witness': {
      const name = claim(draft, words.shift());
      draft.witnesses.set(name, readKey(draft, 'witness', [...draft.witnesses.values()], words));
      draft.free.set(name, { witness: name });
      return;
    }
    case 'group':
      return readGroup(draft, words);
    case 'quorum':
      if (draft.quorum || words.length !== 1)
        throw malformed('A policy has one quorum line, with one name', '信任策略只能有一个 quorum 行，且只含一个名称');
      draft.quorum = words[0] === 'none' ? NO_QUORUM : take(draft, words[0]!);
      return;
    default:
      throw malformed(
        'A line starts with log, witness, group or quorum',
        '每行须以 log、witness、group 或 quorum 开头',
      );
  }
}

function readKey(draft: Draft, use: KeyUse, others: VerifierKey[], [vkey = '', url, ...rest]: string[]): VerifierKey {
  const key = parseVerifierKey(vkey);
  if (key.use !== use || rest.length > 0)
    throw malformed(`Not the key of a ${use}, with or without a URL`, `不是 ${use} 的公钥（可附地址）`);
  if (others.some((other) => other.key.equals(key.key)))
    throw malformed(`Two ${use} lines have the same key`, `两个 ${use} 行使用了同一公钥`);
  if (url !== undefined) draft.urls.set(key, url);
  return key;
}

function readGroup(draft: Draft, [nameWord, countWord = '', ...names]: string[]): void {
  const name = claim(draft, nameWord);
  const members = names.map((member) => take(draft, member));
  const threshold = thresholdOf(countWord, members.length);
  if (threshold < 1 || threshold > members.length)
    throw malformed('A group needs at least one, at most all of its members', 'group 须要求至少一个、至多全部成员');
  draft.free.set(name, { threshold, members });
}

function thresholdOf(word: string, members: number): number {
  if (word === 'all') return members;
  return word === 'any' ? 1 : parseCount(word, 'MALFORMED_POLICY');
}

/** Each name means one thing. */
function claim(draft: Draft, name: string | undefined): string {
  if (name === undefined || draft.names.has(name)) throw malformed('A name is missing or used twice', '名称缺失或重复');
  if (draft.names.size > NAMES_MAX) throw malformed(`More than ${NAMES_MAX} names`, `名称超过 ${NAMES_MAX} 个`);
  draft.names.add(name);
  return name;
}

/** Each name is a member once, so that no witness counts twice. */
function take(draft: Draft, name: string): Quorum {
  const quorum = draft.free.get(name);
  if (!quorum)
    throw malformed(
      'A group or quorum names what is not defined above it, or belongs to a group already',
      'group 或 quorum 所指名称此前未定义，或已属于某个 group',
    );
  draft.free.delete(name);
  return quorum;
}

/** Whether these cosigners, which were verified, are enough. */
export function isQuorum(
  { quorum, witnesses }: TrustPolicy,
  signatures: readonly Pick<VerifiedSignature, 'key'>[],
): boolean {
  const reached = (needed: Quorum): boolean => {
    if ('members' in needed) return needed.members.filter(reached).length >= needed.threshold;
    const witness = witnesses.get(needed.witness)!;
    return signatures.some(({ key }) => isSameKey(key, witness));
  };
  return reached(quorum);
}

/** QUORUM_NOT_REACHED unless these cosigners, which were verified, are enough. */
export function requireQuorum(policy: TrustPolicy, signatures: readonly VerifiedSignature[]): void {
  if (isQuorum(policy, signatures)) return;
  throw new TransparencyLogError(
    'QUORUM_NOT_REACHED',
    'Fewer witnesses have cosigned than the policy asks for',
    '联署的见证方少于信任策略的要求',
  );
}

const malformed = (message: string, messageZh: string) =>
  new TransparencyLogError('MALFORMED_POLICY', message, messageZh);
