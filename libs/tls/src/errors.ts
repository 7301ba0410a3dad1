/** A certificate, a key or an address that can't be used as told; the message has the remedy, English and then Chinese. */
export class TlsError extends Error {
  override readonly name = 'TlsError';

  constructor(
    readonly code:
      'UNREADABLE' | 'MALFORMED' | 'KEY_DIFFERS' | 'EXPIRED' | 'NOT_YET_VALID' | 'WRONG_NAME' | 'UNTRUSTED' | 'PLAIN',
    readonly english: string,
    readonly chinese: string,
  ) {
    super(`${english} · ${chinese}`);
  }
}
