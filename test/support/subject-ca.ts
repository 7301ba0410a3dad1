// A fictional certification authority for organizations: its certificates name a credit code as ETSI EN 319 412-1 writes it.
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto, type KeyObject } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  X509CertificateGenerator,
  X509CrlGenerator,
  type Extension,
  type X509Certificate,
} from '@peculiar/x509';
import { CompactSign } from 'jose';

const DAY_MS = 86_400_000;
const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RS256: {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
  EdDSA: { name: 'Ed25519' },
};
export type TestAlgorithm = keyof typeof ALGORITHMS;

/** What a certificate shall say other than usual. */
export interface Wish {
  /** Attributes of the subject besides its name, by OID. */
  attributes?: Record<string, string | string[]>;
  notBefore?: Date;
  notAfter?: Date;
  usage?: KeyUsageFlags;
  extendedUsage?: string[];
  extensions?: Extension[];
  algorithm?: TestAlgorithm;
}

/** A key with its certificate and those above it. */
export interface Holder {
  cert: X509Certificate;
  key: KeyObject;
  /** DER, base64: its own first. */
  x5c: string[];
  algorithm: TestAlgorithm;
}

const keysOf = (algorithm: TestAlgorithm): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHMS[algorithm], true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
const serialNumber = (): string => `01${randomBytes(16).toString('hex')}`;
const der = (cert: X509Certificate): string => Buffer.from(cert.rawData).toString('base64');

export const identifier = (uscc: string): Record<string, string> => ({ '2.5.4.97': `NTRCN-${uscc}` });

export class SubjectCa {
  private constructor(
    readonly cert: X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly above: string[],
  ) {}

  static async root(name: string): Promise<SubjectCa> {
    const keys = await keysOf('ES256');
    const cert = await X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 365 * DAY_MS),
      signingAlgorithm: ALGORITHMS.ES256,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 1, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new SubjectCa(cert, keys, []);
  }

  get pem(): string {
    return `${this.cert.toString('pem')}\n`;
  }

  /** An authority below this one. */
  async subordinate(name: string): Promise<SubjectCa> {
    const keys = await keysOf('ES256');
    const cert = await this.#certificate(name, keys.publicKey, {
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new SubjectCa(cert, keys, [der(cert)]);
  }

  /** A certificate for an organization; by default good for statements. */
  async issue(name: string, wish: Wish = {}): Promise<Holder> {
    const algorithm = wish.algorithm ?? 'ES256';
    const keys = await keysOf(algorithm);
    const usage = wish.usage ?? KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation;
    const cert = await this.#certificate(name, keys.publicKey, {
      ...wish,
      extensions: [
        new KeyUsagesExtension(usage, true),
        ...(wish.extendedUsage ? [new ExtendedKeyUsageExtension(wish.extendedUsage)] : []),
        ...(wish.extensions ?? []),
      ],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    return { cert, key, x5c: [der(cert), ...this.above], algorithm };
  }

  /** A revocation list, PEM. */
  async list(revoked: X509Certificate[], nextUpdate = new Date(Date.now() + DAY_MS)): Promise<string> {
    const crl = await X509CrlGenerator.create({
      issuer: this.cert.subject,
      thisUpdate: new Date(Date.now() - 2 * DAY_MS),
      nextUpdate,
      signingAlgorithm: ALGORITHMS.ES256,
      entries: revoked.map((cert) => ({ serialNumber: cert.serialNumber, revocationDate: new Date() })),
      signingKey: this.keys.privateKey,
    });
    // As RFC 7468 writes it.
    return `${crl.toString('pem').replaceAll(' CRL-', ' X509 CRL-')}\n`;
  }

  #certificate(name: string, publicKey: webcrypto.CryptoKey, wish: Wish): Promise<X509Certificate> {
    const attributes = Object.entries(wish.attributes ?? {}).flatMap(([oid, values]) =>
      [values].flat().map((utf8String) => ({ [oid]: [{ utf8String }] })),
    );
    return X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: new Name([{ CN: [{ utf8String: name }] }, ...attributes]),
      issuer: this.cert.subject,
      notBefore: wish.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: wish.notAfter ?? new Date(Date.now() + 90 * DAY_MS),
      signingAlgorithm: ALGORITHMS.ES256,
      publicKey,
      signingKey: this.keys.privateKey,
      extensions: wish.extensions ?? [],
    });
  }
}

/** A statement as its holder's software makes it. */
export const signStatement = ({ key, x5c, algorithm }: Holder, text: string, header: object = {}): Promise<string> =>
  new CompactSign(Buffer.from(text)).setProtectedHeader({ alg: algorithm, x5c, ...header }).sign(key);
