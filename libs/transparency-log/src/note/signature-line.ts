import { TransparencyLogError } from '../errors.js';
import { parseBase64 } from '../text.js';
import { isKeyName } from './key.js';

const SIGNATURES_MAX = 64;
const ID_BYTES = 4;

/** One line under a note. Whether it is true is another question. */
export interface NoteSignature {
  name: string;
  id: number;
  /** What stands behind the key's id. */
  signature: Buffer;
}

/** Reads signature lines alone, as a witness answers; MALFORMED_NOTE unless there is at least one. */
export function parseSignatureLines(text: string): NoteSignature[] {
  const lines = text.split('\n', SIGNATURES_MAX + 2);
  if (lines.length > SIGNATURES_MAX + 1)
    throw malformed(`More than ${SIGNATURES_MAX} signatures`, `签名超过 ${SIGNATURES_MAX} 个`);
  if (lines.length < 2 || lines.pop() !== '')
    throw malformed('There is no signature, or the last one is cut off', '没有签名，或最后一个签名不完整');
  return lines.map(parseSignatureLine);
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name = '', material = ''] = /^— ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
  const bytes = parseBase64(material, 'MALFORMED_NOTE');
  if (!isKeyName(name) || bytes.length <= ID_BYTES) throw malformed('Not a signature line', '不是签名行');
  return { name, id: bytes.readUInt32BE(), signature: bytes.subarray(ID_BYTES) };
}

export function formatSignatureLine({ name, id, signature }: NoteSignature): string {
  const idBytes = Buffer.alloc(ID_BYTES);
  idBytes.writeUInt32BE(id);
  return `— ${name} ${Buffer.concat([idBytes, signature]).toString('base64')}\n`;
}

const malformed = (message: string, messageZh: string) =>
  new TransparencyLogError('MALFORMED_NOTE', message, messageZh);
