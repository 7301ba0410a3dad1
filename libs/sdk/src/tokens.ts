import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT, type JWK } from 'jose';
import { asLiandunError, LiandunError } from './errors.js';
import { refusalOf } from './refusal.js';
import { transportOf, type Transport } from './transport.js';

export type Audience = 'liandun' | 'liandun-kafka';

interface Token {
  value: string;
  /** Of the monotonic clock, so that a wrong wall clock doesn't matter. */
  freshUntilMs: number;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_LIFETIME_SECONDS = 60;
// A token is replaced once this share of its life is over, so that one that is handed out always has some left.
const USED_SHARE = 0.7;

/** OAuth 2.0 client credentials with `private_key_jwt` (RFC 7523): one cached token per audience, renewed before it expires. */
export class TokenSource {
  readonly #endpoint: string;
  readonly #memberId: string;
  readonly #key: JWK;
  readonly #transport: Transport;
  readonly #tokens = new Map<Audience, Promise<Token>>();

  /** `key` is a private JWK with `kid`: Ed25519 (EdDSA) or P-256 (ES256). */
  constructor(url: string, memberId: string, key: JWK, transport = transportOf(undefined)) {
    this.#endpoint = `${url}/oauth/token`;
    this.#memberId = memberId;
    this.#key = key;
    this.#transport = transport;
  }

  /** An access token that is still valid for a while; callers that ask at the same time share one request. */
  async token(audience: Audience = 'liandun'): Promise<string> {
    const cached = this.#tokens.get(audience);
    if (cached) {
      const token = await cached.catch(() => undefined);
      if (token && performance.now() < token.freshUntilMs) return token.value;
      if (this.#tokens.get(audience) === cached) this.#tokens.delete(audience);
    }
    const fetched = this.#tokens.get(audience) ?? this.#fetch(audience);
    this.#tokens.set(audience, fetched);
    try {
      return (await fetched).value;
    } catch (error) {
      if (this.#tokens.get(audience) === fetched) this.#tokens.delete(audience);
      throw error;
    }
  }

  /** Forgets the cached tokens: the ledger has just refused one. */
  forget(): void {
    this.#tokens.clear();
  }

  async #fetch(audience: Audience): Promise<Token> {
    const askedAtMs = performance.now();
    const response = await this.#transport
      .fetch(this.#endpoint, {
        method: 'POST',
        signal: AbortSignal.timeout(10_000),
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: await this.#assertion(),
          audience,
        }),
      })
      .catch((cause: unknown) => {
        throw asLiandunError(cause, this.#endpoint);
      });
    if (!response.ok) throw await refusalOf(response);
    const body = (await response.json()) as { access_token?: unknown; expires_in?: unknown };
    if (typeof body.access_token !== 'string' || typeof body.expires_in !== 'number') {
      throw new LiandunError('MALFORMED_ANSWER', 'The token endpoint answered without a token');
    }
    return { value: body.access_token, freshUntilMs: askedAtMs + body.expires_in * 1000 * USED_SHARE };
  }

  async #assertion(): Promise<string> {
    const alg = this.#key.kty === 'OKP' ? 'EdDSA' : 'ES256';
    return new SignJWT()
      .setProtectedHeader({ alg, kid: this.#key.kid, typ: 'JWT' })
      .setIssuer(this.#memberId)
      .setSubject(this.#memberId)
      .setAudience(this.#endpoint)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${ASSERTION_LIFETIME_SECONDS}s`)
      .sign(await importJWK(this.#key, alg));
  }
}
