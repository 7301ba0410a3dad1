import { makeResidentId, makeUscc } from '@liandun/contracts';
import { randomInt } from 'node:crypto';

/** An invented person whose every value occurs nowhere else. */
export interface Canary {
  identity: object;
  /** What must be found nowhere. */
  values: string[];
  /** By what an erasure finds it. */
  identifiers: { residentId: string };
}

const CHARACTERS = '鑫淼焱垚犇羴骉麤龘靐齉爨灪籱癵驫鱻雥虪飝';
const draw = (count: number): string =>
  Array.from({ length: count }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join('');
const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('');

/** In turn a person, a sole proprietor, and the representative of an organization, whose own data are public. */
export function canary(n: number): Canary {
  const name = `赵${draw(9)}`;
  const residentId = makeResidentId('990101', '19610314', n);
  const [phone, account, mailbox, street] = [
    `139${digits(8)}`,
    `62${digits(17)}`,
    `c${digits(12)}@mail.example`,
    draw(12),
  ];
  const contact = { phones: [phone], emails: [mailbox], bankAccounts: [account], address: `示例省${street}` };
  const values = [name, residentId, phone, mailbox, account];
  if (n % 3 === 0)
    return {
      identity: { kind: 'person', name, residentId, ...contact },
      values: [...values, street],
      identifiers: { residentId },
    };
  const uscc = makeUscc('990101', 500 + n);
  if (n % 3 === 1)
    return {
      identity: { kind: 'soleProprietor', name, residentId, uscc, ...contact },
      values: [...values, street, uscc],
      identifiers: { residentId },
    };
  const legalRepresentative = { name, residentId };
  return {
    identity: { kind: 'organization', name: `虚构贸易${n}有限公司`, uscc, legalRepresentative },
    values: [name, residentId],
    identifiers: { residentId },
  };
}

/** A text in the forms in which it is written down: UTF-8 and -16, escaped in JSON and in URLs, hexadecimal, base64 at every offset. */
function formsOf(value: string): Buffer[] {
  const bytes = Buffer.from(value, 'utf8');
  const hex = bytes.toString('hex');
  const escaped = [...value]
    .map((c) => (c < '\u0080' ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))
    .join('');
  const base64 = [0, 1, 2].flatMap((offset) => {
    // The characters at both ends depend on what stands beside the value.
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const whole = text.slice(offset === 0 ? 0 : offset + 1, (bytes.length + offset) % 3 === 0 ? undefined : -1);
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const wide = Buffer.from(value, 'utf16le');
  const url = encodeURIComponent(value);
  return [...new Set([hex, hex.toUpperCase(), escaped, url, url.toLowerCase(), ...base64])]
    .map((text) => Buffer.from(text))
    .concat(bytes, wide, Buffer.from(wide).swap16());
}

const PREFIX_BYTES = 8;

/** Looks for many values at once, byte by byte. */
export class Scanner {
  private readonly needles = new Map<string, { form: Buffer; what: string }[]>();

  constructor(values: readonly string[]) {
    for (const what of values) for (const form of formsOf(what)) this.add(form, what);
  }

  private add(form: Buffer, what: string): void {
    if (form.length < PREFIX_BYTES) throw new Error(`${what} is too short to be looked for`);
    const prefix = form.toString('latin1', 0, PREFIX_BYTES);
    this.needles.set(prefix, [...(this.needles.get(prefix) ?? []), { form, what }]);
  }

  /** The values that stand in these bytes in any form. */
  found(bytes: Buffer): string[] {
    const text = bytes.toString('latin1');
    const found = new Set<string>();
    for (let at = 0; at + PREFIX_BYTES <= text.length; at += 1) {
      for (const { form, what } of this.needles.get(text.slice(at, at + PREFIX_BYTES)) ?? [])
        if (bytes.compare(form, 0, form.length, at, Math.min(at + form.length, bytes.length)) === 0) found.add(what);
    }
    return [...found];
  }
}
