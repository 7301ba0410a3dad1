import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { Trouble } from './trouble.mjs';

/** The members of the sandbox (design section 3). All names are fictional. */
export const MEMBERS = [
  ...['a', 'b', 'c', 'd', 'e'].map((letter, i) => ({
    memberId: `platform-${letter}`,
    name: `示例平台${'甲乙丙丁戊'[i]}`,
    role: 'platform',
  })),
  { memberId: 'regulator-beijing', name: '北京监管（示例）', role: 'regulator' },
  { memberId: 'regulator-hangzhou', name: '杭州监管（示例）', role: 'regulator' },
  { memberId: 'admin', name: '管理员一（示例）', role: 'admin' },
  { memberId: 'admin-2', name: '管理员二（示例）', role: 'admin' },
];

/** Nobody's sandbox is flooded by trying it out. What a real member gets is in libs/contracts (`STANDARD_LIMITS`). */
const SANDBOX_LIMITS = { timesMean: 1_000_000, subjectsPerHour: 1_000_000 };

const LOG_NAME = 'liandun.local/log';

/** Writes a file that appears whole or not at all. */
export async function writeWhole(path, text, mode = 0o644) {
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, text, { mode, flush: true });
  await rename(partial, path);
}

function newKey(type, options, more) {
  return { ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), ...more };
}

const newKid = () => randomBytes(8).toString('base64url');
const secret = () => randomBytes(32).toString('base64');

/** The ledger's own keys, made once: whoever loses them can't open the vault or go on with the log. */
function newLedgerKeys() {
  return {
    signing: newKey('ec', { namedCurve: 'P-256' }, { kid: newKid(), alg: 'ES256', use: 'sig' }),
    inbox: newKey('ec', { namedCurve: 'P-256' }, { kid: newKid(), alg: 'ECDH-ES+A256KW', use: 'enc' }),
    seal: secret(),
    blind: secret(),
    fingerprint: secret(),
    logSigning: newKey('ed25519', {}, { kid: LOG_NAME, alg: 'EdDSA', use: 'sig' }),
  };
}

const damaged = (path) =>
  new Trouble(
    `${path} is damaged: put back a copy of it, or move the whole state folder away to begin anew (the data in it can't be read without these keys)`,
    `${path} 已损坏：请恢复其备份；或移走整个状态文件夹重新开始（没有这些密钥，其中的数据无法读取）`,
  );

async function readJson(path, isWhole) {
  try {
    const value = JSON.parse(await readFile(path, 'utf8'));
    if (isWhole(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw damaged(path);
}

const is32Bytes = (text) => typeof text === 'string' && Buffer.from(text, 'base64').length === 32;
const isPrivateJwk = (jwk) => typeof jwk?.kid === 'string' && typeof jwk.d === 'string';
const isLedgerKeys = (keys) =>
  [keys?.signing, keys?.inbox, keys?.logSigning].every(isPrivateJwk) &&
  [keys.seal, keys.blind, keys.fingerprint].every(is32Bytes);

/**
 * Reads `keys.json`, or makes it where the state folder is new.
 * @param {string} home
 * @param {boolean} isNew
 */
export async function ledgerKeys(home, isNew) {
  const path = `${home}/keys.json`;
  if (!existsSync(path)) {
    if (!isNew) throw damaged(path);
    await writeWhole(path, `${JSON.stringify(newLedgerKeys(), null, 2)}\n`, 0o600);
  }
  return { path, keys: await readJson(path, isLedgerKeys) };
}

/** The public part of a JWK: no private member is ever copied. */
export function publicJwk({ kty, crv, x, y, kid, alg, use }) {
  return { kty, crv, x, ...(y && { y }), kid, ...(alg && { alg }), ...(use && { use }) };
}

/** The sandbox's platforms may be told everything; contracts and assessments are fictional (rule P16). */
const agreementOf = (memberId) => ({
  contractId: `SANDBOX-CONTRACT-${memberId}`,
  assessmentId: `SANDBOX-PIA-${memberId}`,
  assessedUntil: '2099-12-31T23:59:59+08:00',
  bases: {
    organization: { kind: 'article', ref: '电子商务法 第29条' },
    person: { kind: 'article', ref: '个人信息保护法 第13条' },
    match: { kind: 'article', ref: '个人信息保护法 第8条' },
    reason: { kind: 'article', ref: '电子商务法 第29条' },
    screening: { kind: 'article', ref: '电子商务法 第27条' },
  },
});

/**
 * The private keys of the sandbox members, one file each, and the genesis file from which an empty ledger admits them.
 * @returns {Promise<{ genesis: string, paths: Record<string, string> }>}
 */
export async function memberKeys(home) {
  await mkdir(`${home}/members`, { recursive: true, mode: 0o700 });
  const paths = {};
  const admitted = [];
  for (const member of MEMBERS) {
    const path = (paths[member.memberId] = `${home}/members/${member.memberId}.jwk.json`);
    if (!existsSync(path)) {
      const jwk = newKey('ed25519', {}, { kid: `${member.memberId}-${newKid()}` });
      await writeWhole(path, `${JSON.stringify(jwk)}\n`, 0o600);
    }
    admitted.push({
      ...member,
      keys: [publicJwk(await readJson(path, isPrivateJwk))],
      subscription: {},
      ...(member.role === 'platform' && { agreement: agreementOf(member.memberId) }),
      limits: SANDBOX_LIMITS,
    });
  }
  const genesis = `${home}/genesis.json`;
  await writeWhole(genesis, `${JSON.stringify(admitted, null, 2)}\n`);
  return { genesis, paths };
}

/** The log's verifier key as a C2SP signed-note vkey: `<name>+<key id, hex>+<base64 of 0x01 and the Ed25519 public key>`. */
export function logVkey({ kid: name, x }) {
  const key = Buffer.concat([Buffer.of(1), Buffer.from(x, 'base64url')]);
  const id = createHash('sha256').update(`${name}\n`).update(key).digest('hex').slice(0, 8);
  return `${name}+${id}+${key.toString('base64')}`;
}
