import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

// A third of a second to load, for the few who make certificates.
const load = () => import('@peculiar/x509');

/** PEM: a certificate and its private key (PKCS #8). */
export interface Issued {
  cert: string;
  key: string;
}

interface Wish {
  /** What it is called (CN). */
  name: string;
  /** The host names and addresses that it is for. */
  hosts: string[];
  notBefore?: Date;
  notAfter?: Date;
}

/** A certification authority that lives as long as the process: its key is never written. */
export interface Authority {
  /** PEM. */
  readonly cert: string;
  /** A certificate for servers and clients (RFC 5280), a year long unless told. */
  issue(wish: Wish): Promise<Issued>;
}

const YEAR_MS = 365 * 86_400_000;
// Clocks of one machine hardly differ; those of a test's containers may.
const CLOCK_SKEW_MS = 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
// Positive, 64 random bits and more (RFC 5280 section 4.1.2.2).
const serialNumber = (): string => `01${randomBytes(16).toString('hex')}`;

async function keyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const { PemConverter } = await load();
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')}\n`;
}

/** Makes an authority for connections that stay on one machine, and for tests: ECDSA P-256. */
export async function authority(name: string): Promise<Authority> {
  const x509 = await load();
  const keys = await newKeys();
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - CLOCK_SKEW_MS),
    notAfter: new Date(Date.now() + YEAR_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const issue = async (wish: Wish): Promise<Issued> => {
    const its = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: `CN=${wish.name}`,
      issuer: own.subject,
      notBefore: wish.notBefore ?? new Date(Date.now() - CLOCK_SKEW_MS),
      notAfter: wish.notAfter ?? new Date(Date.now() + YEAR_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: its.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension(
          wish.hosts.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(its.publicKey),
      ],
    });
    return { cert: `${certificate.toString('pem')}\n`, key: await keyPem(its) };
  };
  return { cert: `${own.toString('pem')}\n`, issue };
}
