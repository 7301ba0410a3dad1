// node check-signature.ts ENTRY.json KEY.jwk.json: whether the holder of the key sent what the entry says. Needs no ledger.
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import canonicalize from 'canonicalize'; // RFC 8785

const [entry, key] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const { id, source, time, type } = entry;
const { signature, clockAhead: _byTheLedger, ...data } = entry.data;
const [header, , bytes] = signature.split('.'); // RFC 7515 appendix F: the text between the dots is left out

const text = canonicalize({ data, id, source, time, type }) ?? '';
const signed = Buffer.from(`${header}.${Buffer.from(text).toString('base64url')}`);
const publicKey = createPublicKey({ key, format: 'jwk' });
const isValid = verify(
  key.kty === 'OKP' ? null : 'sha256', // Ed25519, or ECDSA on P-256
  signed,
  { key: publicKey, dsaEncoding: 'ieee-p1363' },
  Buffer.from(bytes, 'base64url'),
);
console.log(isValid ? `valid: ${source} sent ${id}` : 'NOT VALID');
process.exitCode = isValid ? 0 : 1;
