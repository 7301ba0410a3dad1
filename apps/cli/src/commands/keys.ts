import type { MemberKey } from '@liandun/contracts';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Context } from '../context.js';
import { CliError, EXIT, type ExitCode } from '../exit-codes.js';
import { approve, printRequested, type ApprovalOptions } from './approvals.js';
import type { CommonOptions } from './common.js';

export interface KeyGenerationOptions {
  kid: string;
  out: string;
  alg: 'EdDSA' | 'ES256';
}

export interface KeyAdditionOptions extends CommonOptions {
  key: string;
}

export interface KeyRevocationOptions extends CommonOptions {
  emergency?: boolean;
}

const WHO = { en: 'administrator', zh: '管理员', command: 'keys approve' };

/** What of a JWK may leave the machine (RFC 7518 section 6.2.1, RFC 8037 section 2): never its `d`. */
const publicHalf = ({ kid, kty, crv, x, y }: MemberKey): MemberKey => ({
  kid,
  kty,
  crv,
  x,
  ...(y !== undefined && { y }),
});

/** Makes a key pair here. The private half goes into a file that nobody else may read, and is never overwritten. */
export async function generateKey(context: Context, { kid, out, alg }: KeyGenerationOptions): Promise<ExitCode> {
  const { privateKey } =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid, alg };
  try {
    await writeFile(out, `${JSON.stringify(jwk)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CliError(
      EXIT.usage,
      'KEY_FILE_EXISTS',
      `${out} is there already: a key is never overwritten; name another file`,
      `${out} 已存在：密钥不会被覆盖，请另取文件名`,
    );
  }
  context.print(JSON.stringify(publicHalf(jwk as unknown as MemberKey)));
  return EXIT.done;
}

async function readKey(file: string): Promise<MemberKey> {
  const key = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as MemberKey,
    () => undefined,
  );
  if (key?.kid && key.kty && key.crv && key.x) return publicHalf(key);
  throw new CliError(
    EXIT.usage,
    'KEY_UNREADABLE',
    `${file} holds no JWK with kid, kty, crv and x: make one with "liandun keys generate"`,
    `${file} 不是含 kid、kty、crv、x 的 JWK：请用 “liandun keys generate” 生成`,
  );
}

/** Asks that a member's key be added: `--key` names its file, private or public; only the public half is sent. */
export async function addKey(context: Context, memberId: string, options: KeyAdditionOptions): Promise<ExitCode> {
  const key = await readKey(options.key);
  const path = `/v1/members/${encodeURIComponent(memberId)}/keys`;
  const answer = await context.client(options.as).post<{ approvalId: string }>(path, { key });
  return printRequested(context, answer, options, WHO);
}

/** Asks that a member's key be revoked. In an emergency it stops at once, and the second administrator confirms it. */
export async function revokeKey(
  context: Context,
  memberId: string,
  kid: string,
  options: KeyRevocationOptions,
): Promise<ExitCode> {
  const path = `/v1/members/${encodeURIComponent(memberId)}/keys/${encodeURIComponent(kid)}/revocation`;
  const body = options.emergency ? { emergency: true } : {};
  const answer = await context.client(options.as).post<{ approvalId: string }>(path, body);
  return printRequested(context, answer, options, WHO);
}

/** The second administrator's word on what another asked for. */
export const approveKeys = (context: Context, approvalId: string, options: ApprovalOptions): Promise<ExitCode> =>
  approve(context, approvalId, options, WHO);
