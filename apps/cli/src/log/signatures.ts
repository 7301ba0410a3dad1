import { signedTextOfEntry, verifySignature, type SignedContent } from '@liandun/commitments';
import { EVENT_TYPES, LEDGER_SOURCE, memberSource, type MemberKey } from '@liandun/contracts';
import { CliError, EXIT } from '../exit-codes.js';

// Canonical JSON has no white space, and a quote within a value is escaped: these stand in entries only where they are meant.
const SIGNED = Buffer.from('"signature":"');
const KEYS = [EVENT_TYPES.memberAdmitted, EVENT_TYPES.memberKeyAdded].map((type) => Buffer.from(`"type":"${type}"`));

/**
 * Checks the signatures of publishers against the keys that the log itself says were theirs, entry by entry in order. A key
 * that was revoked counts for what it signed before; that it signs nothing more is checked where events come in.
 */
export class SignatureCheck {
  /** By the member's source. */
  readonly #keys = new Map<string, MemberKey[]>();
  #signed = 0;

  /** How many entries bore a signature; all were valid. */
  get signed(): number {
    return this.#signed;
  }

  /** Takes the entry at the next position. SIGNATURE_INVALID where its publisher can't have signed it. */
  async take(position: number, entry: Buffer): Promise<void> {
    if (KEYS.some((type) => entry.includes(type))) this.#learn(JSON.parse(entry.toString('utf8')) as SignedContent);
    if (!entry.includes(SIGNED)) return;
    const content = JSON.parse(entry.toString('utf8')) as SignedContent;
    const found = content.source === LEDGER_SOURCE ? undefined : signedTextOfEntry(content);
    if (!found) return;
    const verdict = await verifySignature(found.signature, found.text, this.#keys.get(content.source) ?? []);
    if (verdict !== 'valid') throw wronglySigned(position);
    this.#signed += 1;
  }

  #learn({ source, data }: SignedContent): void {
    if (source !== LEDGER_SOURCE) return;
    const { memberId, keys = [], key } = data as { memberId: string; keys?: MemberKey[]; key?: MemberKey };
    const known = this.#keys.get(memberSource(memberId)) ?? [];
    this.#keys.set(memberSource(memberId), [...known, ...keys, ...(key ? [key] : [])]);
  }
}

const wronglySigned = (position: number): CliError =>
  new CliError(
    EXIT.failed,
    'SIGNATURE_INVALID',
    `The entry at position ${position} bears a signature that no key of its publisher made. Keep what you have, and tell a regulator.`,
    `位置 ${position} 的记录所附签名并非其发送方的密钥所签。请保留现有数据并报告监管端。`,
  );
