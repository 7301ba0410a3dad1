import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { getCACertificates, type SecureVersion } from 'node:tls';
import { TlsError } from './errors.js';

export interface TlsFiles {
  /** PEM: the server's certificate, then those between it and its authority. */
  cert: string;
  /** PEM: its private key, not encrypted. */
  key: string;
  /** PEM: the authorities that clients trust, where the system's don't know them. */
  ca?: string | undefined;
}

/** What a TLS server of Node takes. */
export interface ServerTls {
  cert: string;
  key: string;
  /** TLS 1.3 where the client has it (RFC 8446), else 1.2; older ones are deprecated (RFC 8996). */
  minVersion: SecureVersion;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new TlsError(
      'UNREADABLE',
      `${path} can't be read (${code}): give the path of a PEM file that this user may read`,
      `无法读取 ${path}（${code}）：请提供当前用户可读的 PEM 文件路径`,
    );
  }
}

function parsePem(path: string, pem: string): X509Certificate[] {
  try {
    const certificates = (pem.match(PEM_CERTIFICATE) ?? []).map((one) => new X509Certificate(one));
    if (certificates.length > 0) return certificates;
  } catch {
    // Told below.
  }
  throw new TlsError(
    'MALFORMED',
    `${path} holds no certificate: it must be PEM, beginning with -----BEGIN CERTIFICATE-----`,
    `${path} 中没有证书：须为以 -----BEGIN CERTIFICATE----- 开头的 PEM 文件`,
  );
}

function parseKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TlsError(
      'MALFORMED',
      `${path} holds no private key: it must be PEM and not encrypted`,
      `${path} 中没有可用的私钥：须为未加密的 PEM 文件`,
    );
  }
}

/** The PEM text of a file of trusted authorities. Throws UNREADABLE, MALFORMED. */
export function readAuthorities(path: string): string {
  const pem = readText(path);
  parsePem(path, pem);
  return pem;
}

/**
 * Throws EXPIRED or NOT_YET_VALID outside of the certificate's time (RFC 5280 section 4.1.2.5), WRONG_NAME where it doesn't name
 * `host` (RFC 9525).
 * @param where how the certificate is called in the message: a path or an address
 */
function checkCertificate(where: string, certificate: X509Certificate, host?: string, now = new Date()): void {
  const { validFromDate, validToDate, subjectAltName } = certificate;
  if (now > validToDate) {
    const day = validToDate.toISOString().slice(0, 10);
    const [english, chinese] = [`expired on ${day}: renew it`, `已于 ${day} 过期：请更新证书`];
    throw new TlsError('EXPIRED', `the certificate of ${where} ${english}`, `${where} 的证书${chinese}`);
  }
  if (now < validFromDate) {
    throw new TlsError(
      'NOT_YET_VALID',
      `the certificate of ${where} is valid from ${validFromDate.toISOString()} on only: set this machine's clock, or wait`,
      `${where} 的证书自 ${validFromDate.toISOString()} 起才有效：请校准本机时钟或等待`,
    );
  }
  if (host === undefined || certificate.checkHost(host) || (isIP(host) && certificate.checkIP(host))) return;
  throw new TlsError(
    'WRONG_NAME',
    `the certificate of ${where} is not for ${host} but for ${subjectAltName ?? 'no name'}: use a name that it has, or get one with subjectAltName ${host}`,
    `${where} 的证书不适用于 ${host}，而是 ${subjectAltName ?? '无名称'}：请使用证书中的名称，或申请 subjectAltName 含 ${host} 的证书`,
  );
}

const issued = (authority: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

/** Throws UNTRUSTED where no path leads from the chain's first certificate to an authority (RFC 5280 section 6). */
function checkChain(path: string, chain: X509Certificate[], authorities: X509Certificate[]): void {
  let [last] = chain as [X509Certificate];
  for (const next of chain.slice(1)) if (issued(next, last)) last = next;
  const trusted = authorities.some((one) => one.fingerprint256 === last.fingerprint256 || issued(one, last));
  if (trusted) return;
  throw new TlsError(
    'UNTRUSTED',
    `no trusted authority has issued ${path}: append the certificates in between, or name the authority's file (npm start: --tls-ca FILE)`,
    `没有受信任的 CA 签发过 ${path}：请附上中间证书，或指定 CA 文件（npm start：--tls-ca 文件）`,
  );
}

/**
 * Reads a server's certificate and key, and checks that they can be used now: read, parsed, in their time, fitting each other;
 * with `host` also that they are for that name and lead to an authority. Throws TlsError, naming the file and the remedy.
 */
export function readServerTls({ cert, key, ca }: TlsFiles, host?: string): ServerTls {
  const texts = { cert: readText(cert), key: readText(key) };
  const chain = parsePem(cert, texts.cert);
  const [certificate] = chain as [X509Certificate];
  if (!certificate.checkPrivateKey(parseKey(key, texts.key))) {
    throw new TlsError(
      'KEY_DIFFERS',
      `the key in ${key} doesn't belong to the certificate in ${cert}: give the pair that was made together`,
      `${key} 中的私钥与 ${cert} 中的证书不匹配：请提供同一对证书与私钥`,
    );
  }
  checkCertificate(cert, certificate, host);
  if (host !== undefined) {
    const known = ca === undefined ? getCACertificates('default').map((pem) => new X509Certificate(pem)) : [];
    checkChain(cert, chain, ca === undefined ? known : parsePem(ca, readText(ca)));
  }
  return { ...texts, minVersion: 'TLSv1.2' };
}
