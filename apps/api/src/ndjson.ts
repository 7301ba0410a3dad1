import type { Readable } from 'node:stream';
import { fieldError, LIMITS, parseStrictJson, problemOf, type FieldError, type Receipt } from '@liandun/contracts';
import type { Intake, Prepared, Submitter } from '@liandun/intake';

/** A line of a submitted stream. */
export type Line = { text: string } | { wrong: 'BODY_TOO_LARGE' | 'MALFORMED_JSON' };

const GROUP_EVENTS_MAX = 500;
/** Prepared and not yet appended; past it the sender is read no further. */
const WAITING_EVENTS_MAX = 1_000;
const LF = 0x0a;

/**
 * Splits chunks into lines, holding no more than one line in memory. What is too long or not UTF-8 is told by its own
 * line and hinders no other.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number = LIMITS.eventBytes,
): AsyncGenerator<Line[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const finish = (): Line => {
    const tooLong = bytes > lineBytesMax;
    const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    parts = [];
    bytes = 0;
    if (tooLong) return { wrong: 'BODY_TOO_LARGE' };
    try {
      return { text: decoder.decode(whole) };
    } catch {
      return { wrong: 'MALFORMED_JSON' };
    }
  };
  const take = (part: Uint8Array): void => {
    bytes += part.length;
    if (bytes <= lineBytesMax) parts.push(part);
    else parts = [];
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      take(chunk.subarray(from, at));
      lines.push(finish());
      from = at + 1;
    }
    if (from < chunk.length) take(chunk.subarray(from));
    yield lines;
  }
  if (bytes > 0) yield [finish()];
}

function refusedLine(number: number, { message, messageZh, ...where }: FieldError, id = ''): Prepared {
  const error = { ...where, message: `Line ${number}: ${message}`, messageZh: `第 ${number} 行：${messageZh}` };
  return { step: 'refused', receipt: { id, status: 'rejected', problem: problemOf([error]) } };
}

/** The streams that a group appends to; undefined where it depends on what the log holds. */
function streamsOf(group: Prepared[]): Set<string> | undefined {
  const streams = new Set<string>();
  for (const item of group) {
    if (item.step === 'lookUp' || item.step === 'decide') return undefined;
    if (item.step === 'append') for (const { stream } of item.command.events) streams.add(stream);
  }
  return streams;
}

/** Whether `next` may be appended while `current` is under way without a stream's order being at stake. */
function mayOverlap(current: Prepared[], next: Prepared[]): boolean {
  const [a, b] = [streamsOf(current), streamsOf(next)];
  return a !== undefined && b !== undefined && ![...b].some((stream) => a.has(stream));
}

/**
 * Reads a stream of events and yields their receipts in order. What arrives while a group is appended is validated and
 * sealed meanwhile and makes up the next group, so a slow sender has its receipts at once and a fast one large groups.
 * Neither reads further than the other side takes: the memory it needs is bounded.
 */
export class NdjsonIngest {
  readonly #waiting: Prepared[] = [];
  #ended = false;
  #failure: unknown;
  #arrived: () => void = () => undefined;
  #room: () => void = () => undefined;

  constructor(
    private readonly intake: Intake,
    private member: Submitter,
    /** The member as it is now; throws once it may submit no more. */
    private readonly memberNow: () => Promise<Submitter>,
    private readonly onReceipt: (prepared: Prepared, receipt: Receipt) => void,
  ) {}

  /** Chunks of NDJSON, one line for each event. */
  async *receipts(body: Readable): AsyncGenerator<string> {
    void this.#read(body);
    let under: { group: Prepared[]; settled: Promise<Receipt[]> } | undefined;
    try {
      while (under || (await this.#arrival())) {
        const group = under && this.#waiting.length === 0 ? [] : this.#take();
        let next: typeof under;
        if (group.length > 0) {
          if (under && !mayOverlap(under.group, group)) {
            yield this.#written(under.group, await under.settled);
            under = undefined;
          }
          // A stream may last for hours: a suspension ends it, and what is asked of the member may change.
          this.member = await this.memberNow();
          next = { group, settled: this.intake.settle(this.member, group) };
          next.settled.catch(() => undefined); // awaited below, after the group before it
        }
        if (under) yield this.#written(under.group, await under.settled);
        under = next;
      }
      if (this.#failure) throw this.#failure;
    } finally {
      this.#ended = true;
      this.#room();
      // The reading ends with the request. Waiting for it here would wait for a sender who has nothing more to say.
      body.destroy();
    }
  }

  #take(): Prepared[] {
    const group = this.#waiting.splice(0, GROUP_EVENTS_MAX);
    this.#room();
    return group;
  }

  #written(group: Prepared[], receipts: Receipt[]): string {
    group.forEach((prepared, i) => this.onReceipt(prepared, receipts[i] as Receipt));
    return receipts.map((receipt) => `${JSON.stringify(receipt)}\n`).join('');
  }

  async #arrival(): Promise<boolean> {
    while (this.#waiting.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#waiting.length > 0;
  }

  async #read(body: Readable): Promise<void> {
    let number = 0;
    try {
      for await (const lines of linesOf(body)) {
        await this.intake.ready();
        for (const line of lines) {
          number += 1;
          if ('text' in line && line.text.trim() === '') continue;
          this.#waiting.push(this.#prepare(number, line));
        }
        this.#arrived();
        while (this.#waiting.length >= WAITING_EVENTS_MAX && !this.#ended)
          await new Promise<void>((resolve) => (this.#room = resolve));
        if (this.#ended) return;
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#ended = true;
      this.#arrived();
    }
  }

  #prepare(number: number, line: Line): Prepared {
    if ('wrong' in line) return refusedLine(number, fieldError('', line.wrong));
    const parsed = parseStrictJson(line.text);
    if ('refused' in parsed) return refusedLine(number, parsed.refused, parsed.id);
    return this.intake.prepare(this.member, parsed.value);
  }
}
