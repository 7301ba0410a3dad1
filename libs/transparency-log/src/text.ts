import { TransparencyLogError, type TransparencyLogErrorCode } from './errors.js';

export const HASH_BYTES = 32;

/** Sizes and indices are whole numbers that a double holds exactly: up to 2^53 - 1. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** ASCII decimal digits without leading zeros, up to 2^53 - 1; `code` otherwise. */
export function parseCount(text: string, code: TransparencyLogErrorCode): number {
  const value = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!isCount(value))
    throw new TransparencyLogError(
      code,
      'Not a decimal number without leading zeros below 2^53',
      '不是小于 2^53 且无前导零的十进制数',
    );
  return value;
}

/** Standard base 64 with padding (RFC 4648 section 4): each value has one text; `code` for any other. */
export function parseBase64(text: string, code: TransparencyLogErrorCode): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text)
    throw new TransparencyLogError(code, 'Not standard base 64', '不是标准 base64');
  return bytes;
}

/** The base 64 of a SHA-256 hash. */
export function parseHash(text: string, code: TransparencyLogErrorCode): Buffer {
  const hash = text.length === 44 ? parseBase64(text, code) : undefined;
  if (hash?.length !== HASH_BYTES)
    throw new TransparencyLogError(code, 'Not the base 64 of 32 bytes', '不是 32 字节的 base64');
  return hash;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text that somebody else wrote: valid UTF-8 of at most `bytesMax` bytes, no control character but the newline; `code` otherwise. */
export function decodeText(bytes: Uint8Array | string, bytesMax: number, code: TransparencyLogErrorCode): string {
  if (bytes.length > bytesMax || Buffer.byteLength(bytes) > bytesMax) {
    throw new TransparencyLogError(code, `More than ${bytesMax} bytes`, `超过 ${bytesMax} 字节`);
  }
  const text = typeof bytes === 'string' ? bytes : decodeUtf8(bytes);
  // oxlint-disable-next-line no-control-regex
  if (text === undefined || !text.isWellFormed() || /[\0-\x09\x0b-\x1f]/.test(text)) {
    throw new TransparencyLogError(code, 'Not UTF-8 text without control characters', '不是不含控制字符的 UTF-8 文本');
  }
  return text;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}
