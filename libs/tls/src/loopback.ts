import { TlsError } from './errors.js';

/** Whether a host name or address never leaves this machine (RFC 6761 section 6.3, RFC 5735 section 3, RFC 4291 section 2.5.3). */
export const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|\[?::1\]?|localhost)$/.test(host);

/** Throws PLAIN where a server would listen outside loopback without TLS: tokens would travel a network in the clear. */
export function requireTls(host: string, tls: unknown): void {
  if (tls || isLoopback(host)) return;
  throw new TlsError(
    'PLAIN',
    `HOST=${host} is outside loopback and there is no certificate: set LIANDUN_TLS_CERT and LIANDUN_TLS_KEY to PEM files, or leave HOST out`,
    `HOST=${host} 不是本机回环地址，且未提供证书：请将 LIANDUN_TLS_CERT 与 LIANDUN_TLS_KEY 设为 PEM 文件，或不设置 HOST`,
  );
}

/**
 * Throws PLAIN where a connection to PostgreSQL would leave the machine without checking the server's certificate and name.
 * @param url DATABASE_URL, as libpq reads it (PostgreSQL 18, section 32.1.1.2)
 */
export function requireDatabaseTls(url: string): void {
  const parsed = URL.parse(url);
  const mode = parsed?.searchParams.get('sslmode');
  const host = parsed?.searchParams.get('host') ?? parsed?.hostname ?? '';
  // No host, or a path, is a socket of this machine.
  if (!parsed || mode === 'verify-full' || host === '' || /^(\/|%2F)/i.test(host) || isLoopback(host)) return;
  throw new TlsError(
    'PLAIN',
    `DATABASE_URL: ${host} is outside loopback: add ?sslmode=verify-full (and &sslrootcert=FILE for an authority of your own)`,
    `DATABASE_URL：${host} 不是本机回环地址：请加上 ?sslmode=verify-full（使用自有 CA 时再加 &sslrootcert=文件）`,
  );
}
