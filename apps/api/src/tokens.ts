import { kafkaPrincipal, LedgerError, type MemberKey, type MemberRole, type SignaturePolicy } from '@liandun/contracts';
import { activeCaller, memberById, useJti } from '@liandun/views';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, importJWK, jwtVerify, SignJWT, type JWK } from 'jose';
import pg from 'pg';
import { Settings } from './settings.js';

export const AUDIENCES = ['liandun', 'liandun-kafka'] as const;
export type Audience = (typeof AUDIENCES)[number];

/** The claim of a token that names the key it was given for. */
const KEY_CLAIM = 'member_kid';
/** Seconds that an access token lives. A stop of the member or of its key doesn't wait for it, neither here nor in Kafka. */
export const TOKEN_LIFETIME_SECONDS = 300;
const ASSERTION_LIFETIME_MAX_SECONDS = 600;
const CLOCK_TOLERANCE_SECONDS = 30;
const JTI_CHARACTERS_MAX = 128;

/** Who calls, as every route knows him. */
export interface Caller {
  memberId: string;
  /** The key that its token was given for. */
  kid: string;
  role: MemberRole;
  signatures: SignaturePolicy;
}

/** An error of the token endpoint (RFC 6749 section 5.2). */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  constructor(
    readonly error: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_target',
    description: string,
  ) {
    super(description);
  }
}

const refused = (reason: string): OAuthError => new OAuthError('invalid_client', reason);

/** The algorithms that a key may sign with: the key decides, never the token's header (RFC 8725 section 3.1). */
const algorithmsOf = ({ kty }: Pick<MemberKey, 'kty'>): string[] => (kty === 'OKP' ? ['EdDSA', 'Ed25519'] : ['ES256']);

const publicHalf = ({ kty, crv, x, y, kid }: JWK): JWK => ({ kty, crv, x, ...(y ? { y } : {}), kid });

/** Access tokens of the ledger: issues them for a member's signed assertion, and checks them on every request. */
export class Tokens {
  readonly #keySet: ReturnType<typeof createLocalJWKSet>;
  readonly #settings: Settings;
  readonly #pool: pg.Pool;
  /** What an assertion may be addressed to: the token endpoint or the issuer. */
  readonly #audiences: string[];

  constructor(settings: Settings, pool: pg.Pool) {
    this.#settings = settings;
    this.#pool = pool;
    this.#keySet = createLocalJWKSet({ keys: [{ ...publicHalf(settings.signingKey), alg: 'ES256', use: 'sig' }] });
    this.#audiences = [settings.issuer, `${settings.issuer}/oauth/token`];
  }

  /** The address under which the process listens is a token endpoint as well, where the issuer is named otherwise. */
  listeningAt(url: string): void {
    this.#audiences.push(url, `${url}/oauth/token`);
  }

  /** RFC 7517: the key that tokens are signed with, and the one that members encrypt inbox events to. */
  jwks(): { keys: JWK[] } {
    const { signingKey, inboxKey } = this.#settings;
    return {
      keys: [
        { ...publicHalf(signingKey), alg: 'ES256', use: 'sig' },
        { ...publicHalf(inboxKey), alg: 'ECDH-ES+A256KW', use: 'enc' },
      ],
    };
  }

  /** The caller behind a bearer token. Throws UNAUTHENTICATED, or what `stillCaller` throws. */
  async verify(token: string): Promise<Caller & { expiresAt: Date }> {
    const { payload } = await jwtVerify(token, this.#keySet, {
      algorithms: ['ES256'],
      issuer: this.#settings.issuer,
      audience: 'liandun',
      requiredClaims: ['exp', 'sub', KEY_CLAIM],
    }).catch(() => {
      throw new LedgerError('UNAUTHENTICATED');
    });
    const { sub: memberId = '', exp = 0 } = payload;
    const caller = await this.stillCaller({ memberId, kid: String(payload[KEY_CLAIM]) });
    return { ...caller, expiresAt: new Date(exp * 1000) };
  }

  /**
   * Who called, as he is now: asked of the database each time, so that a stop acts on the next call in every process. Throws
   * MEMBER_SUSPENDED where the member is active no more, KEY_STOPPED where its key is live no more.
   */
  async stillCaller({ memberId, kid }: Pick<Caller, 'memberId' | 'kid'>): Promise<Caller> {
    const found = await activeCaller(this.#pool, memberId, kid);
    if (!found) throw new LedgerError('MEMBER_SUSPENDED');
    const { keyIsLive, ...member } = found;
    if (!keyIsLive) throw new LedgerError('KEY_STOPPED');
    return { memberId, kid, ...member };
  }

  /** A token for whoever signed the assertion (RFC 7523 section 3). Throws OAuthError. */
  async issue(assertion: string, audience: Audience): Promise<{ token: string; expiresInSeconds: number }> {
    const { memberId, role, kid } = await this.#authenticate(assertion);
    const { signingKey, issuer } = this.#settings;
    const token = await new SignJWT({ role, [KEY_CLAIM]: kid })
      .setProtectedHeader({ alg: 'ES256', kid: signingKey.kid, typ: 'at+jwt' })
      .setIssuer(issuer)
      .setSubject(audience === 'liandun-kafka' ? kafkaPrincipal(memberId, kid) : memberId)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_LIFETIME_SECONDS}s`)
      .sign(await importJWK(signingKey, 'ES256'));
    return { token, expiresInSeconds: TOKEN_LIFETIME_SECONDS };
  }

  async #authenticate(assertion: string): Promise<Pick<Caller, 'memberId' | 'role' | 'kid'>> {
    const { memberId, kid } = namesIn(assertion);
    const member = await memberById(this.#pool, memberId);
    const key = member?.keys.find((live) => live.kid === kid);
    // One answer for an unknown member, a suspended one and an unknown key.
    if (member?.status !== 'active' || !key) throw refused('no active member has this key');
    const { payload } = await jwtVerify(assertion, await importJWK(key, algorithmsOf(key)[0]), {
      algorithms: algorithmsOf(key),
      issuer: memberId,
      subject: memberId,
      audience: this.#audiences,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'jti'],
    }).catch((error: unknown) => {
      throw refused(`the assertion was refused: ${(error as { code?: string }).code ?? 'malformed'}`);
    });
    const { exp = 0, iat, jti } = payload;
    const now = Date.now() / 1000;
    if (exp - now > ASSERTION_LIFETIME_MAX_SECONDS + CLOCK_TOLERANCE_SECONDS) throw refused('exp is too far ahead');
    if (iat !== undefined && iat > now + CLOCK_TOLERANCE_SECONDS) throw refused('iat lies ahead');
    if (!jti || jti.length > JTI_CHARACTERS_MAX || jti.includes('\0')) throw refused('jti is missing or too long');
    const fresh = await useJti(this.#pool, memberId, jti, new Date((exp + CLOCK_TOLERANCE_SECONDS) * 1000));
    if (!fresh) throw refused('jti was used before');
    return { memberId, role: member.role, kid };
  }
}

/** What an assertion says of itself; nothing is verified yet, so it only chooses the key. */
function namesIn(assertion: string): { memberId: string; kid: string } {
  try {
    const { kid } = decodeProtectedHeader(assertion);
    const { sub } = decodeJwt(assertion);
    if (typeof kid === 'string' && typeof sub === 'string' && !`${kid}${sub}`.includes('\0'))
      return { memberId: sub, kid };
  } catch {
    // Not a JWT: refused below.
  }
  throw refused('the assertion is not a JWT with kid and sub');
}
