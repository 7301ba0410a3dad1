import { randomBytes } from 'node:crypto';
import { holdsPersonalData, type CloudEvent, type MemberKey } from '@liandun/contracts';
import { canonicalJson } from '@liandun/transparency-log';
import { CompactSign, compactVerify, decodeProtectedHeader, importJWK, type CryptoKey, type JWK } from 'jose';
import { committedForm, saltsFrom } from './committed-form.js';

/** `typ` of the signatures, so that no other token of the member's key passes for one (RFC 8725 section 3.11). */
export const SIGNATURE_TYPE = 'liandun-event+jws';

const SALT_BYTES = 32;
const KEYS_CACHED_MAX = 1_000;

/** What a publisher signs: an event in its committed form. It stands in the entry word for word. */
export interface SignedContent {
  id: string;
  source: string;
  type: string;
  time: string;
  data: object;
}

/** What a signature turned out to be: `unknownKey` where its `kid` is none of the given keys. */
export type SignatureVerdict = 'valid' | 'invalid' | 'unknownKey';

/** The text that is signed: canonical JSON (RFC 8785) of id, source, type, time and the committed data. */
export const signedText = ({ id, source, type, time, data }: SignedContent): string =>
  canonicalJson({ data, id, source, time, type });

/** The text that the sender of a signed event signed. */
export const textOfEvent = (event: CloudEvent): string =>
  signedText({ ...event, data: committedForm(event.data as object, saltsFrom(event.salt ?? '')).data });

/** The text that was signed, and the signature, from an entry of the log; undefined where the entry bears none. */
export function signedTextOfEntry(entry: SignedContent): { text: string; signature: string } | undefined {
  // What the ledger adds to the sender's data, it adds under these two names.
  const { signature, clockAhead: _clockAhead, ...data } = entry.data as { signature?: unknown; clockAhead?: unknown };
  return typeof signature === 'string' ? { signature, text: signedText({ ...entry, data }) } : undefined;
}

const algorithmOf = ({ kty }: Pick<JWK, 'kty'>): 'EdDSA' | 'ES256' => (kty === 'OKP' ? 'EdDSA' : 'ES256');

/**
 * An event with its publisher's signature: a detached JWS (RFC 7515 appendix F; EdDSA, or ES256 with a P-256 key) over the
 * committed form, and the salt that the commitments are made with, newly drawn. `key` is private and has a `kid`. Signed
 * twice, an event has two signatures and is the same event.
 */
export async function signEvent<T>(event: CloudEvent<T>, key: JWK): Promise<CloudEvent<T>> {
  // As it will stand on the wire: a Date or an absent value would otherwise be signed as something else.
  const { signature: _before, salt: _drawn, ...unsigned } = JSON.parse(JSON.stringify(event)) as CloudEvent<T>;
  const salted: CloudEvent<T> = holdsPersonalData(unsigned.data)
    ? { ...unsigned, salt: randomBytes(SALT_BYTES).toString('base64url') }
    : unsigned;
  const jws = await new CompactSign(Buffer.from(textOfEvent(salted), 'utf8'))
    .setProtectedHeader({ alg: algorithmOf(key), kid: key.kid, typ: SIGNATURE_TYPE })
    .sign(await importedKey(key));
  const [header, , signature] = jws.split('.');
  return { ...salted, signature: `${header}..${signature}` };
}

/** Checks a detached JWS over a text against a member's keys. The key decides the algorithm, never the header. */
export async function verifySignature(
  jws: string,
  text: string,
  keys: readonly MemberKey[],
): Promise<SignatureVerdict> {
  const [header = '', , signature = ''] = jws.split('.');
  const names = headerOf(header);
  if (names === undefined) return 'invalid';
  const key = keys.find(({ kid }) => kid === names.kid);
  if (!key) return 'unknownKey';
  const algorithms = key.kty === 'OKP' ? ['EdDSA', 'Ed25519'] : ['ES256'];
  const payload = Buffer.from(text, 'utf8').toString('base64url');
  try {
    await compactVerify(`${header}.${payload}.${signature}`, await importedKey(key), { algorithms });
    return 'valid';
  } catch {
    return 'invalid'; // also where the registered key is no point of its curve
  }
}

const HEADER_NAMES = new Set(['alg', 'kid', 'typ']);

/** The header where it is one that this form allows: nothing that changes how the text is read. */
function headerOf(encoded: string): { kid: string } | undefined {
  try {
    const header = decodeProtectedHeader(`${encoded}..`);
    const { kid, typ } = header;
    const isKnown = Object.keys(header).every((name) => HEADER_NAMES.has(name));
    return isKnown && typ === SIGNATURE_TYPE && typeof kid === 'string' ? { kid } : undefined;
  } catch {
    return undefined;
  }
}

const imported = new Map<string, Promise<CryptoKey>>();

/** Importing takes longer than signing; a key is known by what it is, not by its name. */
function importedKey(key: JWK): Promise<CryptoKey> {
  const name = `${key.kty}.${key.x}.${key.y ?? ''}.${key.d ? 'private' : 'public'}`;
  let promise = imported.get(name);
  if (!promise) {
    if (imported.size >= KEYS_CACHED_MAX) imported.clear();
    imported.set(name, (promise = importJWK({ ...key }, algorithmOf(key)) as Promise<CryptoKey>));
  }
  return promise;
}
