// Whether a certificate names an organization by its credit code, and an authority that the operator trusts vouches for it
// (电子签名法 第13、16条; RFC 5280 section 6, ETSI EN 319 412-1 section 5.1.4).
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isUscc, type LedgerError, type ProblemCode } from '@liandun/contracts';
import type { X509Certificate as Parsed, X509Crl } from '@peculiar/x509';
import { refuseField } from './problems.js';

// A third of a second to load: only where an operator names authorities.
const load = () => import('@peculiar/x509');

/** Certificates between the merchant's and an anchor, and the merchant's own. */
export const PATH_MAX = 5;
const X5C = '/jws/header/x5c';
/** organizationIdentifier (ITU-T X.520). */
export const ORGANIZATION_IDENTIFIER = '2.5.4.97';
/** The national register, or the tax authority, of China: both go by the credit code. */
const NAMED_BY = /^(?:NTRCN-|VATCN-)?([0-9A-Z]{18})$/;
/** Given name, surname, pseudonym: whoever is named by them is a person, be he of an organization or not (EN 319 412-2). */
const PERSONS_OWN = ['2.5.4.42', 'G', '2.5.4.4', 'SN', '2.5.4.65'];
const DIGESTS = new Set(['SHA-256', 'SHA-384', 'SHA-512']);
/** Basic constraints, key usage, extended key usage, alternative names, policies, distribution points. */
const UNDERSTOOD = new Set(['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.17', '2.5.29.32', '2.5.29.31']);
const NAME_CONSTRAINTS = '2.5.29.30';
/** Client authentication, mail, documents (RFC 9336, Microsoft's), any. */
const SIGNING_USES = new Set([
  '1.3.6.1.5.5.7.3.2',
  '1.3.6.1.5.5.7.3.4',
  '1.3.6.1.5.5.7.3.36',
  '1.3.6.1.4.1.311.10.3.12',
  '2.5.29.37.0',
]);
const PEM = {
  certificate: /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
  list: /-----BEGIN (?:X509 )?CRL-----([^-]+)-----END (?:X509 )?CRL-----/g,
};

/** What the operator said. */
export interface OrganizationTrust {
  /** PEM: the authorities whose certificates are taken, roots or not. */
  anchors: string;
  /** The attribute of the subject that holds the credit code. */
  codeOid?: string;
  /** A PEM file of revocation lists, read anew for each statement; then every certificate needs a current one. */
  crlPath?: string;
}

/** The authorities of a PEM text. Throws Error that says what is wrong. */
export function anchorsOf(pem: string): X509Certificate[] {
  const anchors = (pem.match(PEM.certificate) ?? []).map((one) => new X509Certificate(one));
  if (anchors.length === 0) throw new Error('holds no certificate: it must be PEM');
  const other = anchors.find(({ ca }) => !ca);
  if (other) throw new Error(`${other.subject.replaceAll('\n', ', ')} is no authority's certificate`);
  return anchors;
}

const refusal = (code: ProblemCode, pointer = `${X5C}/0`): LedgerError =>
  refuseField('STATEMENT_REFUSED', pointer, code);

const vouches = (issuer: X509Certificate, cert: X509Certificate): boolean =>
  issuer.ca && cert.checkIssued(issuer) && cert.verify(issuer.publicKey);

/** From the merchant's certificate up to an anchor, each vouched for by the next; undefined where it leads to none. */
export function pathOf(
  given: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const path: X509Certificate[] = [];
  for (const cert of given.slice(0, PATH_MAX)) {
    const below = path.at(-1);
    if (below && !vouches(cert, below)) return undefined;
    path.push(cert);
    const anchor = anchors.find((one) => vouches(one, cert));
    if (anchor) return [...path, anchor];
  }
  return undefined;
}

/** What RFC 5280 asks of each certificate below the anchor; what isn't understood is refused. */
async function requireSound(path: readonly X509Certificate[]): Promise<Parsed[]> {
  const { BasicConstraintsExtension, X509Certificate: Parse } = await load();
  const parsed = path.map(({ raw }) => new Parse(raw));
  for (const [depth, cert] of parsed.entries()) {
    const at = `${X5C}/${depth}`;
    const isAnchor = depth === parsed.length - 1;
    const { name, hash } = cert.signatureAlgorithm as { name: string; hash?: { name: string } };
    if (!isAnchor && name !== 'Ed25519' && name !== 'EdDSA' && !DIGESTS.has(hash?.name ?? ''))
      throw refusal('CERTIFICATE_UNTRUSTED', at);
    if (
      !isAnchor &&
      cert.extensions.some(({ type, critical }) => type === NAME_CONSTRAINTS || (critical && !UNDERSTOOD.has(type)))
    )
      throw refusal('CERTIFICATE_UNTRUSTED', at);
    const { pathLength } = cert.getExtension(BasicConstraintsExtension) ?? {};
    if (depth > 0 && pathLength !== undefined && depth - 1 > pathLength) throw refusal('CERTIFICATE_UNTRUSTED', at);
  }
  return parsed;
}

/** The merchant's own certificate is for statements, not for a server, code or other certificates. */
async function requireSigner(cert: Parsed): Promise<void> {
  const { BasicConstraintsExtension, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension } = await load();
  const usage = cert.getExtension(KeyUsagesExtension)?.usages ?? 0;
  // oxlint-disable-next-line no-bitwise -- key usage is a bit string
  const signs = (usage & (KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation)) !== 0;
  const narrowed = cert.getExtension(ExtendedKeyUsageExtension)?.usages;
  if (!signs || cert.getExtension(BasicConstraintsExtension)?.ca) throw refusal('CERTIFICATE_USAGE');
  if (narrowed && !narrowed.some((use) => SIGNING_USES.has(String(use)))) throw refusal('CERTIFICATE_USAGE');
}

/** The one credit code of the subject. */
function codeOf({ subjectName }: Parsed, oid: string): string {
  const persons = PERSONS_OWN.some((name) => subjectName.getField(name).length > 0);
  const named = subjectName.getField(oid);
  const [, code] = NAMED_BY.exec(named[0] ?? '') ?? [];
  if (persons || named.length !== 1 || code === undefined || !isUscc(code)) throw refusal('CERTIFICATE_NO_CODE');
  return code;
}

/** A list that its issuer signed, that holds now, and that is about all of the issuer's certificates. */
async function holds(crl: X509Crl, issuer: Parsed, now: Date): Promise<boolean> {
  const { thisUpdate, nextUpdate, extensions } = crl;
  if (crl.issuer !== issuer.subject || thisUpdate > now || !nextUpdate || nextUpdate < now) return false;
  // A part of a list or a difference to another is marked as critical.
  return !extensions.some(({ critical }) => critical) && crl.verify({ publicKey: issuer.publicKey });
}

async function requireNotRevoked(path: readonly Parsed[], crlPath: string, now: Date): Promise<void> {
  const { X509Crl: Crl } = await load();
  let lists: X509Crl[];
  try {
    const pem = await readFile(crlPath, 'utf8');
    lists = [...pem.matchAll(PEM.list)].map(([, der = '']) => new Crl(Buffer.from(der, 'base64')));
  } catch {
    throw refusal('CERTIFICATE_UNCHECKED');
  }
  for (const [depth, cert] of path.slice(0, -1).entries()) {
    const issuer = path[depth + 1] as Parsed;
    const current = [];
    for (const crl of lists) if (await holds(crl, issuer, now)) current.push(crl);
    if (current.length === 0) throw refusal('CERTIFICATE_UNCHECKED', `${X5C}/${depth}`);
    if (current.some((crl) => crl.findRevoked(cert))) throw refusal('CERTIFICATE_REVOKED', `${X5C}/${depth}`);
  }
}

/** A certificate that was found good. */
export interface Organization {
  uscc: string;
  cert: X509Certificate;
}

/**
 * Whom a chain of DER certificates (x5c: the merchant's first) names. Throws STATEMENT_REFUSED with CERTIFICATE_UNTRUSTED,
 * CERTIFICATE_EXPIRED, CERTIFICATE_USAGE, CERTIFICATE_NO_CODE, CERTIFICATE_REVOKED or CERTIFICATE_UNCHECKED.
 */
export async function organizationOf(
  x5c: readonly string[],
  { codeOid = ORGANIZATION_IDENTIFIER, crlPath }: OrganizationTrust,
  anchors: readonly X509Certificate[],
  now: Date,
): Promise<Organization> {
  let path: X509Certificate[] | undefined;
  let parsed: Parsed[];
  try {
    path = pathOf(
      x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64'))),
      anchors,
    );
    if (!path) throw refusal('CERTIFICATE_UNTRUSTED');
    parsed = await requireSound(path);
  } catch (error) {
    // What can't be read is no chain.
    throw (error as LedgerError).code === 'STATEMENT_REFUSED' ? error : refusal('CERTIFICATE_UNTRUSTED', X5C);
  }
  for (const [depth, { validFromDate, validToDate }] of path.entries())
    if (validFromDate > now || validToDate < now) throw refusal('CERTIFICATE_EXPIRED', `${X5C}/${depth}`);
  const own = parsed[0] as Parsed;
  await requireSigner(own);
  const uscc = codeOf(own, codeOid);
  if (crlPath !== undefined) await requireNotRevoked(parsed, crlPath, now);
  return { uscc, cert: path[0] as X509Certificate };
}
