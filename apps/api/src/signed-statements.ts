// The second way to prove who one is (rule P07): a text of the ledger, signed with a certificate that names the credit code.
import { randomUUID, timingSafeEqual, type X509Certificate } from 'node:crypto';
import {
  LedgerError,
  STATEMENT_PURPOSE,
  toBeijingTime,
  type ProblemCode,
  type StatementText,
} from '@liandun/contracts';
import type { Vault } from '@liandun/vault';
import { CODE_MINUTES } from '@liandun/views';
import { compactVerify } from 'jose';
import { anchorsOf, organizationOf, PATH_MAX, type OrganizationTrust } from './organization-certificates.js';
import { refuseField } from './problems.js';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const CHALLENGE = /^([0-9a-f-]{36})\.(\d{13})\.([A-Za-z0-9_-]{43})$/;
const BASE64 = /^[A-Za-z0-9+/]{1,16000}={0,2}$/;

const refusal = (code: ProblemCode, pointer: string): LedgerError => refuseField('STATEMENT_REFUSED', pointer, code);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function decoded(part: string, pointer: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw refusal('STATEMENT_MALFORMED', pointer);
}

const wordsOf = (uscc: string, origin: string): Pick<StatementText, 'zh' | 'en'> => ({
  zh: `本单位（统一社会信用代码 ${uscc}）向联盾账本（${origin}）证明身份，以查阅与本单位有关的记录、陈述意见和提出申诉。`,
  en: `The organization with the credit code ${uscc} shows who it is to the Liandun ledger at ${origin}, to see what is held about it, to speak and to appeal.`,
});

/** The header's certificates (RFC 7515 section 4.1.6), with what was signed by the first of them. */
function chainOf(header: Record<string, unknown>): string[] {
  const { alg, x5c } = header;
  if (!ALGORITHMS.includes(alg as string)) throw refusal('STATEMENT_ALGORITHM', '/jws/header/alg');
  if (header['crit'] !== undefined) throw refusal('STATEMENT_MALFORMED', '/jws/header/crit');
  if (!Array.isArray(x5c) || x5c.length === 0) throw refusal('CERTIFICATE_UNTRUSTED', '/jws/header/x5c');
  const given = x5c.slice(0, PATH_MAX) as unknown[];
  if (!given.every((der) => typeof der === 'string' && BASE64.test(der)))
    throw refusal('CERTIFICATE_UNTRUSTED', '/jws/header/x5c');
  return given as string[];
}

/** Who signed, and with which challenge: it may be used once. */
export interface Signed {
  uscc: string;
  challengeId: string;
}

/** Challenges, and the statements that are signed upon them. Nothing is kept until a statement is found good. */
export class SignedStatements {
  readonly #anchors: X509Certificate[];

  /** `origin`: the ledger's address as its users know it. Throws Error where the anchors are none. */
  constructor(
    private readonly vault: Pick<Vault, 'fingerprint'>,
    private readonly trust: OrganizationTrust,
    private readonly origin: string,
    private readonly now: () => Date,
  ) {
    this.#anchors = anchorsOf(trust.anchors);
  }

  /** A text to sign, the same for whoever is asked of. */
  challenge(uscc: string): { text: string; expiresAt: string } {
    const expiresAt = new Date(this.now().getTime() + CODE_MINUTES * 60_000);
    const plain = `${randomUUID()}.${expiresAt.getTime()}`;
    const text: StatementText = {
      challenge: `${plain}.${this.#mac(plain).toString('base64url')}`,
      origin: this.origin,
      purpose: STATEMENT_PURPOSE,
      uscc,
      ...wordsOf(uscc, this.origin),
    };
    return { text: JSON.stringify(text), expiresAt: toBeijingTime(expiresAt) };
  }

  /**
   * Who signed a compact JWS, or a detached one of `text`. What costs least is looked at first. Throws STATEMENT_REFUSED, with the field
   * and the reason in its errors.
   */
  async signer(jws: string, text?: string): Promise<Signed> {
    const [protectedHeader = '', embedded = '', signature = ''] = jws.split('.');
    const x5c = chainOf(decoded(protectedHeader, '/jws/header'));
    const isDetached = embedded === '';
    if (isDetached && text === undefined) throw refusal('STATEMENT_MALFORMED', '/text');
    const payload = isDetached ? Buffer.from(text as string, 'utf8').toString('base64url') : embedded;
    const at = isDetached ? '/text' : '/jws/payload';
    const stated = decoded(payload, at);
    const challengeId = this.#requireChallenge(stated, `${at}/challenge`);
    if (stated['origin'] !== this.origin) throw refusal('STATEMENT_ORIGIN', `${at}/origin`);
    if (stated['purpose'] !== STATEMENT_PURPOSE) throw refusal('STATEMENT_PURPOSE', `${at}/purpose`);
    const { uscc, cert } = await organizationOf(x5c, this.trust, this.#anchors, this.now());
    if (stated['uscc'] !== uscc) throw refusal('STATEMENT_OTHER_CODE', `${at}/uscc`);
    const { zh, en } = wordsOf(uscc, this.origin);
    if (stated['zh'] !== zh) throw refusal('STATEMENT_PURPOSE', `${at}/zh`);
    if (stated['en'] !== en) throw refusal('STATEMENT_PURPOSE', `${at}/en`);
    try {
      await compactVerify(`${protectedHeader}.${payload}.${signature}`, cert.publicKey, { algorithms: ALGORITHMS });
    } catch {
      throw refusal('STATEMENT_SIGNATURE', '/jws/signature');
    }
    return { uscc, challengeId };
  }

  #requireChallenge({ challenge }: Record<string, unknown>, pointer: string): string {
    const [, id, until, mac] = (typeof challenge === 'string' && CHALLENGE.exec(challenge)) || [];
    if (id === undefined || until === undefined || mac === undefined) throw refusal('STATEMENT_CHALLENGE', pointer);
    const given = Buffer.from(mac, 'base64url');
    if (!timingSafeEqual(given, this.#mac(`${id}.${until}`)) || Number(until) <= this.now().getTime())
      throw refusal('STATEMENT_CHALLENGE', pointer);
    return id;
  }

  #mac(plain: string): Buffer {
    return this.vault.fingerprint(`challenge ${plain}`);
  }
}
