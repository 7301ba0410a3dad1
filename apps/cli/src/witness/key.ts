import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { formatVerifierKey, signerKeyFromJwk, TransparencyLogError, type SignerKey } from '@liandun/transparency-log';
import { CliError, EXIT, usageError } from '../exit-codes.js';
import type { WitnessStore } from './store.js';

/**
 * The witness's own key: an Ed25519 private JWK whose `kid` is the witness's name. Made where the file is missing, with `name` or
 * one drawn from the key. KEY_WITHOUT_STORE where the key was used with another store: what it has promised isn't in this one.
 */
export function witnessKey(path: string, store: WitnessStore, name?: string): { key: SignerKey; isNew: boolean } {
  const jwk = readJwk(path);
  if (jwk === undefined) {
    const made = newJwk(name);
    const key = keyOf(made, path);
    store.vkey = formatVerifierKey(key);
    writeFileSync(path, `${JSON.stringify(made)}\n`, { flag: 'wx', mode: 0o600, flush: true });
    return { key, isNew: true };
  }
  const key = keyOf(jwk, path);
  if (store.vkey !== formatVerifierKey(key)) throw withoutStore(path, store.path);
  if (name !== undefined && name !== key.name) {
    throw usageError(
      'OTHER_NAME',
      `The key in ${path} is named ${key.name}: a name can't be changed. Leave --name out, or name another --key file.`,
      `${path} 中密钥的名称为 ${key.name}，名称不可更改。请省略 --name，或用 --key 指定其他文件。`,
    );
  }
  return { key, isNew: false };
}

type Jwk = Parameters<typeof signerKeyFromJwk>[0];

function readJwk(path: string): Jwk | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Jwk;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) throw badKey(path, error.message, '不是 JSON');
    throw error;
  }
}

function newJwk(name: string | undefined): Jwk {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const drawn = createHash('sha256')
    .update(jwk.x ?? '')
    .digest('hex')
    .slice(0, 8);
  return { ...jwk, kid: name ?? `witness.local/${drawn}` };
}

function keyOf(jwk: Jwk, path: string): SignerKey {
  try {
    return signerKeyFromJwk(jwk, 'witness');
  } catch (error) {
    if (error instanceof TransparencyLogError) throw badKey(path, error.message, error.messageZh);
    throw error;
  }
}

const badKey = (path: string, why: string, whyZh: string): CliError =>
  new CliError(
    EXIT.usage,
    'BAD_KEY',
    `${path} is not a witness's key (an Ed25519 private JWK whose kid is its name): ${why}`,
    `${path} 不是见证密钥（kid 为名称的 Ed25519 私钥 JWK）：${whyZh}`,
  );

const withoutStore = (path: string, store: string): CliError =>
  new CliError(
    EXIT.failed,
    'KEY_WITHOUT_STORE',
    `The key in ${path} was used with another store than ${store}: without what it has promised it could cosign a fork. Name the store that belongs to it, or begin anew with another --key file and tell the ledger's operator its vkey.`,
    `${path} 中的密钥此前使用的不是存储 ${store}：缺少其承诺记录可能会为分叉联署。请指定与该密钥对应的存储；或用 --key 指定新文件重新开始，并将其 vkey 告知账本运营方。`,
  );
