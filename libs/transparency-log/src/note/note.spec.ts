import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, newSigner } from '../../../../test/support/tlog.js';
import {
  cosign,
  EMPTY_ROOT,
  formatCheckpoint,
  formatNote,
  formatSignatureLine,
  formatVerifierKey,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseSignatureLines,
  parseSignerKey,
  parseVerifierKey,
  signerKeyFromJwk,
  signNote,
  verifyNote,
  type SignerKey,
} from '../index.js';

// The keys and the note of the package golang.org/x/mod/sumdb/note's own documentation, good for nothing else.
const VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";

const log = newSigner('example.com/log', 'log');
const witness = newSigner('witness.example/清', 'witness');

describe('keys', () => {
  test('of other implementations are read, and written the same', () => {
    expect(formatVerifierKey(parseVerifierKey(VKEY))).toBe(VKEY);
    expect(formatVerifierKey(parseSignerKey(SKEY))).toBe(VKEY);
    for (const key of [log, witness]) expect(parseVerifierKey(formatVerifierKey(key))).toMatchObject({ id: key.id });
  });

  test('of a JWK have its kid for a name, and the id of C2SP signed-note', () => {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const typed = Buffer.concat([Buffer.of(1), Buffer.from(jwk.x!, 'base64url')]);
    const id = createHash('sha256').update('liandun.local/log\n').update(typed).digest('hex').slice(0, 8);
    expect(formatVerifierKey(signerKeyFromJwk({ ...jwk, kid: 'liandun.local/log' }, 'log'))).toBe(
      `liandun.local/log+${id}+${typed.toString('base64')}`,
    );
  });

  test('as a log and as a witness are two, though of one secret', () => {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const [a, b] = (['log', 'witness'] as const).map((use) => signerKeyFromJwk({ ...jwk, kid: 'x' }, use));
    expect(a!.id).not.toBe(b!.id);
  });

  test.each([
    '',
    'PeterNeumann',
    VKEY.slice(0, -1),
    `${VKEY}\n`,
    VKEY.replace('c74f20a3', 'c74f20a4'),
    VKEY.replace('c74f20a3', 'C74F20A3'),
    VKEY.replace('PeterNeumann', 'Peter Neumann'),
    VKEY.replace('PeterNeumann', ''),
    VKEY.replace('+ARpc', '+AhpC'),
    VKEY.replace('+ARpc', '+ARpd'),
    `${VKEY}AAAA`,
    SKEY,
    'x'.repeat(2000),
  ])('that are not whole are refused: %p', (vkey) => {
    expect(codeOf(() => parseVerifierKey(vkey))).toBe('MALFORMED_KEY');
  });

  test('that cannot sign are refused, and nothing of them is repeated', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const key of [publicKey, privateKey]) {
      expect(codeOf(() => signerKeyFromJwk({ ...key.export({ format: 'jwk' }), kid: 'x' }, 'log'))).toBe(
        'MALFORMED_KEY',
      );
    }
    expect(
      codeOf(() => signerKeyFromJwk(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), 'log')),
    ).toBe('MALFORMED_KEY');
    expect(() => parseSignerKey(SKEY.replace('c74f', 'c74e'))).toThrow(/^(?!.*AYEKFALV)/);
  });
});

describe('notes', () => {
  test('are signed as other implementations sign them, and verified', () => {
    const note = signNote(TEXT, parseSignerKey(SKEY));
    expect(note).toBe(
      `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`,
    );
    expect(verifyNote(parseNote(note), [parseVerifierKey(VKEY)])).toHaveLength(1);
    expect(formatNote(parseNote(Buffer.from(note)))).toBe(note);
  });

  test('with a flipped bit anywhere are not accepted', () => {
    const note = Buffer.from(signNote(TEXT, log));
    fc.assert(
      fc.property(fc.nat({ max: note.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(note);
        changed[bit >> 3]! ^= 1 << (bit % 8);
        expect(codeOf(() => verifyNote(parseNote(changed), [log]))).toMatch(
          /^(MALFORMED_NOTE|UNTRUSTED_SIGNATURE|INVALID_SIGNATURE)$/,
        );
      }),
      { numRuns: 500 },
    );
  });

  const line = formatSignatureLine(parseNote(signNote(TEXT, log)).signatures[0]!);
  test.each([
    ['no signature', TEXT],
    ['no signature behind the empty line', `${TEXT}\n`],
    ['a cut off last line', `${TEXT}\n${line}`.slice(0, -1)],
    ['an empty line at the end', `${TEXT}\n${line}\n`],
    ['a hyphen for the dash', `${TEXT}\n${line}`.replace('—', '-')],
    ['no name', `${TEXT}\n${line}`.replace(log.name, '')],
    ['a plus in the name', `${TEXT}\n${line}`.replace(log.name, 'a+b')],
    ['a wide space in the name', `${TEXT}\n${line}`.replace(log.name, 'a\u3000b')],
    ['base 64 of another alphabet', `${TEXT}\n— a AAAAAA-_\n`],
    ['base 64 without its padding', `${TEXT}\n— a AAAAAAA\n`],
    ['base 64 with bits behind the end', `${TEXT}\n— a AAAAAAB=\n`],
    ['an id alone', `${TEXT}\n— a AAAAAA==\n`],
    ['a tab in the text', `a\tb\n\n${line}`],
    ['a carriage return', `a\r\n\r\n\n${line}`],
    ['65 signatures', `${TEXT}\n${line.repeat(65)}`],
    ['half a surrogate pair', `\ud800\n\n${line}`],
    ['too many bytes', `${'x'.repeat(300_000)}\n\n${line}`],
  ])('with %s are malformed', (_, note) => {
    expect(codeOf(() => parseNote(note))).toBe('MALFORMED_NOTE');
  });

  test('that are not UTF-8 are malformed', () => {
    expect(codeOf(() => parseNote(Buffer.concat([Buffer.of(0xff), Buffer.from(`\n\n${line}`)])))).toBe(
      'MALFORMED_NOTE',
    );
  });

  test('keep a byte order mark, which was signed', () => {
    const note = signNote('\ufefftext\n', log);
    expect(verifyNote(parseNote(Buffer.from(note)), [log])).toHaveLength(1);
  });

  test('are divided at the last empty line, and may have 64 signatures, of which unknown ones are passed over', () => {
    const text = 'a\n\nb\n';
    const others = Array.from({ length: 63 }, (_, i) => ({ name: `k${i}`, id: log.id, signature: Buffer.of(1) }));
    const own = parseNote(signNote(text, log)).signatures;
    const note = parseNote(formatNote({ text, signatures: [...others, ...own] }));
    expect(note.text).toBe(text);
    expect(verifyNote(note, [log, witness]).map(({ key }) => key)).toEqual([log]);
    expect(codeOf(() => verifyNote(note, [witness]))).toBe('UNTRUSTED_SIGNATURE');
    expect(codeOf(() => verifyNote(note, []))).toBe('UNTRUSTED_SIGNATURE');
  });

  test('with one line that a trusted key has not written are refused whole', () => {
    const { text, signatures } = parseNote(signNote(TEXT, log));
    const forged = { name: witness.name, id: witness.id, signature: Buffer.alloc(72) };
    for (const list of [
      [...signatures, forged],
      [forged, ...signatures],
    ]) {
      expect(codeOf(() => verifyNote({ text, signatures: list }, [log, witness]))).toBe('INVALID_SIGNATURE');
    }
  });

  test('count a key once', () => {
    const { text, signatures } = parseNote(signNote(TEXT, log));
    expect(verifyNote({ text, signatures: [...signatures, ...signatures] }, [log])).toHaveLength(1);
  });

  test('are not made of a text that could not be read back', () => {
    for (const text of ['no newline', 'a\0\n']) expect(codeOf(() => signNote(text, log))).toBe('MALFORMED_NOTE');
    expect(codeOf(() => signNote(TEXT, witness))).toBe('MALFORMED_KEY');
  });
});

describe('checkpoints', () => {
  const text = formatCheckpoint({ origin: log.name, size: 5, rootHash: EMPTY_ROOT });

  test('are opened by the key of their log', () => {
    const opened = openCheckpoint(signNote(text, log), { logs: [log] });
    expect(opened).toMatchObject({ origin: log.name, size: 5, rootHash: EMPTY_ROOT, extensions: [] });
  });

  test('of another origin, or signed only by a witness, are refused', () => {
    const other = formatCheckpoint({ origin: 'example.com/other', size: 5, rootHash: EMPTY_ROOT });
    expect(codeOf(() => openCheckpoint(signNote(other, log), { logs: [log] }))).toBe('WRONG_ORIGIN');
    const cosigned = formatNote({ text, signatures: [cosign(text, witness, 1)] });
    expect(codeOf(() => openCheckpoint(cosigned, { logs: [log], witnesses: [witness] }))).toBe('UNTRUSTED_SIGNATURE');
  });

  test.each([
    ['', 'empty'],
    ['o\n5\n', 'two lines'],
    [text.slice(0, -1), 'cut off'],
    [text.replace('\n5\n', '\n05\n'), 'a leading zero'],
    [text.replace('\n5\n', '\n+5\n'), 'a sign'],
    [text.replace('\n5\n', '\n9007199254740992\n'), 'a size past 2^53'],
    [text.replace('\n5\n', '\n\n'), 'no size'],
    [text.replace('=', ''), 'a hash without padding'],
    [`o\n5\n${Buffer.alloc(31).toString('base64')}\n`, 'a hash of 31 bytes'],
    [`\n5\n${EMPTY_ROOT.toString('base64')}\n`, 'no origin'],
    [`${text}\next\n`, 'an empty extension'],
  ])('of the form %p are refused: %s', (malformed) => {
    expect(codeOf(() => parseCheckpoint(malformed))).toBe('MALFORMED_CHECKPOINT');
  });

  test('may have extension lines, which belong to what is signed', () => {
    expect(parseCheckpoint(`${text}ext 1\next 2\n`).extensions).toEqual(['ext 1', 'ext 2']);
  });
});

describe('cosignatures', () => {
  const text = formatCheckpoint({ origin: log.name, size: 5, rootHash: EMPTY_ROOT });
  const { signatures } = parseNote(signNote(text, log));

  test('are over the time and the whole text (C2SP tlog-cosignature)', () => {
    const line = cosign(text, witness, 1679315147);
    expect(line.signature.readBigUInt64BE()).toBe(1679315147n);
    const message = Buffer.from(`cosignature/v1\ntime 1679315147\n${text}`);
    expect(verify(null, message, witness.key, line.signature.subarray(8))).toBe(true);
    const note = formatNote({ text, signatures: [...signatures, line] });
    const opened = openCheckpoint(note, { logs: [log], witnesses: [witness] });
    expect(opened.signatures.map(({ key, timeSec }) => [key.name, timeSec])).toEqual([
      [log.name, undefined],
      [witness.name, 1679315147],
    ]);
  });

  test('of another time, another text, or made as a log signs, are not true', () => {
    const line = cosign(text, witness, 1679315147);
    const later = Buffer.from(line.signature);
    later.writeBigUInt64BE(1679315148n);
    const far = Buffer.from(line.signature);
    far.writeBigUInt64BE(2n ** 63n);
    const asLog = parseNote(signNote(text, newKeyFor(witness))).signatures[0]!.signature;
    for (const signature of [later, far, line.signature.subarray(8), asLog]) {
      const note = { text, signatures: [...signatures, { ...line, signature }] };
      expect(codeOf(() => verifyNote(note, [log, witness]))).toBe('INVALID_SIGNATURE');
    }
    const other = { text: text.replace('\n5\n', '\n6\n'), signatures: [line] };
    expect(codeOf(() => verifyNote(other, [witness]))).toBe('INVALID_SIGNATURE');
  });

  test('are made by witnesses only, at a time that can be told', () => {
    expect(codeOf(() => cosign(text, log, 1))).toBe('MALFORMED_KEY');
    for (const time of [-1, 1.5, Number.NaN, 2 ** 53]) expect(() => cosign(text, witness, time)).toThrow(RangeError);
  });

  test('come back from a witness as lines', () => {
    const line = cosign(text, witness, 1);
    expect(parseSignatureLines(formatSignatureLine(line))).toEqual([line]);
    expect(codeOf(() => parseSignatureLines(''))).toBe('MALFORMED_NOTE');
  });
});

/** The same secret, used as a log. */
function newKeyFor({ privateKey, name }: SignerKey): SignerKey {
  return signerKeyFromJwk({ ...privateKey.export({ format: 'jwk' }), kid: name }, 'log');
}
