import {
  canonicalJson,
  leafHash,
  parseProof,
  TransparencyLogError,
  verifyProof,
  type LogProof,
  type OpenedCheckpoint,
  type TransparencyLogErrorCode,
  type TrustPolicy,
} from '@liandun/transparency-log';
import type { Context } from '../context.js';
import { CliError, EXIT, usageError, type ExitCode } from '../exit-codes.js';
import { cosignedBy, policyOf, type TrustOptions } from '../log/trust.js';
import { timeText } from '../render/render.js';
import type { CommonOptions } from './common.js';
import { readText } from './identity-options.js';

export type ProofOptions = CommonOptions & TrustOptions;

interface Evidence {
  /** Byte for byte as it was hashed. */
  entry: string;
  proof: LogProof;
}

/**
 * Checks without any ledger that an entry is in the log: the checkpoint within the proof (C2SP tlog-proof) is signed by the log
 * that is trusted and cosigned by enough of the policy's witnesses, and the entry's hash leads to its root. `proof` may be left out where the first
 * file is the ledger's whole answer (`GET /v1/receipts/{source}/{id}` as JSON).
 */
export async function checkProof(
  context: Context,
  entryFile: string,
  proofFile: string | undefined,
  options: ProofOptions,
): Promise<ExitCode> {
  const policy = await told(context, async () => policyOf(context, options));
  const { entry, proof } = await told(context, async () => evidenceIn(context, entryFile, proofFile));
  const opened = await told(context, async () => proven({ entry, proof }, policy));
  context.print(
    options.json ? JSON.stringify(resultOf(entry, proof, opened)) : provenText(context, entry, proof, opened),
  );
  return EXIT.done;
}

async function evidenceIn(context: Context, entryFile: string, proofFile: string | undefined): Promise<Evidence> {
  const first = await readText(context, entryFile);
  // Tools that write text end it with a newline; neither an entry nor a proof has one of its own there.
  if (proofFile !== undefined)
    return { entry: first.replace(/\r?\n$/, ''), proof: proofIn(await readText(context, proofFile)) };
  const { entry, proof, status } = answerIn(first);
  if (typeof entry === 'string' && typeof proof === 'string') return { entry, proof: proofIn(proof) };
  if (status === 'pending')
    throw usageError(
      'PENDING',
      `${entryFile} was asked for too early: no checkpoint covered the entry yet. Ask the ledger again.`,
      `${entryFile} 获取过早：当时尚无检查点覆盖该记录。请重新向账本获取。`,
    );
  throw usageError(
    'NO_PROOF',
    `${entryFile} holds no proof: give ENTRY and PROOF, or the JSON that GET /v1/receipts/{source}/{id} answers with.`,
    `${entryFile} 中没有证明：请给出记录与证明两个文件，或 GET /v1/receipts/{source}/{id} 返回的 JSON。`,
  );
}

const proofIn = (text: string): LogProof => parseProof(`${text.replace(/(?:\r?\n)+$/, '')}\n`);

function answerIn(text: string): { entry?: unknown; proof?: unknown; status?: unknown } {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch {
    return {};
  }
}

/** As verifyProof; an entry that was only written in another form is named as that. */
function proven({ entry, proof }: Evidence, policy: TrustPolicy): OpenedCheckpoint {
  try {
    return verifyProof(proof, leafHash(entry), policy);
  } catch (error) {
    if (!(error instanceof TransparencyLogError) || error.code !== 'NOT_INCLUDED') throw error;
    const canonical = canonicalOf(entry);
    if (canonical === undefined || canonical === entry) throw error;
    verifyProof(proof, leafHash(canonical), policy);
    throw usageError(
      'REFORMATTED',
      'ENTRY is in the log, but this file writes it in another form: keep it byte for byte as the ledger gives it.',
      '该记录在日志中，但文件改变了其书写形式：请逐字节保存账本给出的原文。',
    );
  }
}

function canonicalOf(entry: string): string | undefined {
  try {
    return canonicalJson(JSON.parse(entry));
  } catch {
    return undefined;
  }
}

interface Content {
  id?: string;
  source?: string;
  type?: string;
  time?: string;
}

function resultOf(entry: string, { index, extra }: LogProof, opened: OpenedCheckpoint): object {
  const { id, source, type, time } = answerIn(entry) as Content;
  return {
    proven: true,
    position: index,
    leafHash: leafHash(entry).toString('base64'),
    entry: { id, source, type, time },
    log: opened.origin,
    entries: opened.size,
    rootHash: opened.rootHash.toString('base64'),
    cosigned: cosignedBy(opened),
    unchecked: unchecked(opened),
    ...(extra && { extra: 'unsigned' }),
  };
}

/** How many signatures are by keys that the caller named no trust in: nobody looked at them. */
const unchecked = ({ note, signatures }: OpenedCheckpoint): number => note.signatures.length - signatures.length;

function provenText(context: Context, entry: string, { index, extra }: LogProof, opened: OpenedCheckpoint): string {
  const t = context.t.bind(context);
  const { origin, size, rootHash } = opened;
  const { id = '?', source = '?', type = '?', time } = answerIn(entry) as Content;
  const rest = unchecked(opened);
  return [
    `${context.colors.green('✓')} ${t(
      `This entry stands at position ${index} of the log ${origin}, whose operator signed a checkpoint over ${size} entries that includes it.`,
      `该记录位于日志 ${origin} 的位置 ${index}；日志运营方已签署包含该记录、共 ${size} 条记录的检查点。`,
    )}`,
    `  ${type}  ${id}  ${source}${time === undefined ? '' : `  ${timeText(time)}`}`,
    `  ${t('root', '根')} ${rootHash.toString('base64')}`,
    ...cosignedBy(opened).map(({ witness, at }) =>
      t(`  cosigned by ${witness} at ${timeText(at)}`, `  ${witness} 已于 ${timeText(at)} 联署`),
    ),
    ...(rest > 0
      ? [
          t(
            `  ${rest === 1 ? '1 signature was' : `${rest} signatures were`} not checked: --policy names whose cosignatures count`,
            `  ${rest} 个签名的公钥未给出，未作核对（可用 --policy）`,
          ),
        ]
      : []),
    ...(extra ? [t('  its extra data is signed by nobody', '  其附加数据未经任何签名')] : []),
    t(
      '  Checked on this machine alone; no ledger was asked. It says nothing of later entries.',
      '  仅在本机核对，未询问任何账本；不说明其后的记录。',
    ),
  ].join('\n');
}

type Words = readonly [en: string, zh: string];

const CHECKPOINT: Words = ['the checkpoint in PROOF', '证明中的检查点'];

/** What was changed, or doesn't belong together. */
const WRONG: Partial<Record<TransparencyLogErrorCode, Words>> = {
  MALFORMED_KEY: ['a key in the file of --policy is no verifier key', '--policy 文件中的公钥格式有误'],
  MALFORMED_POLICY: ['the file of --policy is no trust policy', '--policy 文件不是信任策略'],
  MALFORMED_PROOF: [
    'PROOF is no tlog-proof: its head, index or a hash was changed',
    '证明的格式有误：其开头、序号或某个哈希已被更改',
  ],
  MALFORMED_NOTE: [`${CHECKPOINT[0]} or a signature below it was changed`, `${CHECKPOINT[1]}或其签名已被更改`],
  MALFORMED_CHECKPOINT: [`${CHECKPOINT[0]} was changed`, `${CHECKPOINT[1]}已被更改`],
  INVALID_SIGNATURE: [
    `${CHECKPOINT[0]} is not what was signed: its text or that signature was changed`,
    `${CHECKPOINT[1]}与签名不符：其文本或该签名已被更改`,
  ],
  UNTRUSTED_SIGNATURE: [
    `${CHECKPOINT[0]} is not signed by the log that you trust: it is another log's, or the name of its signature was changed`,
    `${CHECKPOINT[1]}并非由所信任的日志签署：属于另一日志，或签名行的名称已被更改`,
  ],
  WRONG_ORIGIN: [`${CHECKPOINT[0]} names another log than signed it`, `${CHECKPOINT[1]}所载日志与签署者不同`],
  QUORUM_NOT_REACHED: [
    `${CHECKPOINT[0]} carries fewer cosignatures than the policy asks for`,
    `${CHECKPOINT[1]}的联署少于信任策略的要求`,
  ],
  OUTSIDE_TREE: ['the index in PROOF is past the end of the signed log', '证明中的序号超出所签署日志的范围'],
  NOT_INCLUDED: [
    'the checkpoint is as it was signed, but ENTRY does not lead to its root: ENTRY was changed or is another, or the index or a hash in PROOF was',
    '检查点与签名相符，但记录不能推导至其根：记录已被更改或并非同一条，或证明中的序号、哈希已被更改',
  ],
};

/** What is wrong is named as the part of the two files that it is in. */
async function told<T>(context: Context, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TransparencyLogError)) throw error;
    const [en, zh] = WRONG[error.code] ?? [error.message, error.messageZh];
    context.note(context.t('Not proven.', '未能证明。'));
    throw new CliError(
      EXIT.failed,
      error.code,
      `${error.code}: ${en} (${error.message}).`,
      `${error.code}：${zh}（${error.messageZh}）。`,
    );
  }
}
