import {
  fieldError,
  holdsPersonalData,
  LIMITS,
  parseStrictJson,
  problemOf,
  type FieldError,
  type Receipt,
} from '@liandun/contracts';
import { compactDecrypt, importJWK, type CompactJWEHeaderParameters, type JWK } from 'jose';

/** What an inbox record held: an event for intake, or the receipt that refuses it. */
export type Opened = { event: unknown } | { refused: Receipt };

// RFC 7516, section 7.1: five base64url parts.
const COMPACT_JWE = /^[\w-]+(\.[\w-]*){4}$/;

/**
 * Reads an inbox record: a CloudEvent in clear where it holds no personal value, else a compact JWE (RFC 7516) of it to
 * one of `keys`, the private JWKs of the inbox with their `kid` (ECDH-ES+A256KW, A256GCM).
 */
export async function openRecord(value: Buffer | null, keys: readonly JWK[]): Promise<Opened> {
  if (value && value.length > LIMITS.eventBytes) return refuse('', fieldError('', 'BODY_TOO_LARGE'));
  const text = value?.toString('latin1').trim() ?? '';
  const isSealed = COMPACT_JWE.test(text);
  let plain: Uint8Array = value ?? Buffer.alloc(0);
  if (isSealed) {
    try {
      plain = await decrypt(text, keys);
    } catch {
      return refuse('', fieldError('', 'MALFORMED_JWE'));
    }
  }
  const parsed = parseStrictJson(plain);
  if ('refused' in parsed) return refuse(parsed.id ?? '', parsed.refused);
  const event = parsed.value;
  const { id, data } = (event ?? {}) as { id?: unknown; data?: unknown };
  if (!isSealed && holdsPersonalData(data))
    return refuse(typeof id === 'string' ? id : '', fieldError('', 'PERSONAL_DATA_IN_CLEAR'));
  return { event };
}

async function decrypt(text: string, keys: readonly JWK[]): Promise<Uint8Array> {
  const keyOf = async ({ kid }: CompactJWEHeaderParameters) => {
    const key = keys.find((candidate) => candidate.kid === kid);
    if (!key) throw new Error('Encrypted to a key that is not ours');
    return importJWK(key, 'ECDH-ES+A256KW');
  };
  const { plaintext } = await compactDecrypt(text, keyOf, {
    keyManagementAlgorithms: ['ECDH-ES+A256KW'],
    contentEncryptionAlgorithms: ['A256GCM'],
    // A few bytes may say that they are millions.
    maxDecompressedLength: LIMITS.eventBytes,
  });
  return plaintext;
}

function refuse(id: string, error: FieldError): { refused: Receipt } {
  return { refused: { id, status: 'rejected', problem: problemOf([error]) } };
}
