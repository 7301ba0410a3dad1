import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable, Transform } from 'node:stream';
import { createGunzip, gunzipSync, constants } from 'node:zlib';
import { parse } from 'csv-parse';
import iconv from 'iconv-lite';
import { usageError } from '../exit-codes.js';

export type Encoding = 'utf-8' | 'gb18030';

/** What kind of file it is, found out from its first bytes. */
export interface Format {
  shape: 'csv' | 'jsonl';
  encoding: Encoding;
  gzip: boolean;
  delimiter: string;
}

const HEAD_BYTES = 256 * 1024;

/** Reads the beginning of the file only. `given` overrides what the bytes say of the encoding. */
export async function detectFormat(path: string, given?: Encoding): Promise<Format> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const raw = buffer.subarray(0, bytesRead);
    if (bytesRead === 0) throw usageError('EMPTY_FILE', `${path} is empty.`, `${path} 是空文件。`);
    const gzip = raw[0] === 0x1f && raw[1] === 0x8b;
    const head = gzip ? gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH }) : raw;
    const encoding = given ?? encodingOf(head);
    const text = iconv.decode(head, encoding).trimStart();
    return { shape: text.startsWith('{') ? 'jsonl' : 'csv', encoding, gzip, delimiter: delimiterOf(text) };
  } finally {
    await file.close();
  }
}

/** UTF-8 unless its bytes cannot be: Chinese text in GB18030 practically never is valid UTF-8. */
export function encodingOf(head: Uint8Array): Encoding {
  try {
    // As a stream: a last character that is cut is no error.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return 'utf-8';
  } catch {
    return 'gb18030';
  }
}

function delimiterOf(text: string): string {
  const heading = text.split(/\r?\n/, 1)[0] ?? '';
  const count = (delimiter: string): number => heading.split(delimiter).length;
  return [',', '\t', ';'].toSorted((a, b) => count(b) - count(a))[0] ?? ',';
}

/** The file as a stream of text, and how much of the file has been read so far, in bytes. */
export class TextSource {
  bytesRead = 0;
  readonly #path: string;
  readonly #format: Format;

  constructor(path: string, format: Format) {
    this.#path = path;
    this.#format = format;
  }

  #text(): Readable {
    const counter = new Transform({
      transform: (chunk: Buffer, _, done) => {
        this.bytesRead += chunk.length;
        done(null, chunk);
      },
    });
    const file = createReadStream(this.#path);
    const steps = [counter, ...(this.#format.gzip ? [createGunzip()] : []), iconv.decodeStream(this.#format.encoding)];
    return steps.reduce<Readable>((from, to) => {
      from.on('error', (error) => (to as Transform).destroy(error));
      return from.pipe(to) as Transform;
    }, file);
  }

  /** Lines that are not empty. A byte order mark is dropped. */
  async *lines(): AsyncGenerator<string> {
    for await (const line of createInterface({ input: this.#text(), crlfDelay: Infinity }))
      if (line.trim() !== '') yield line;
  }

  /** Rows of a CSV (RFC 4180), the heading first; a byte order mark is dropped. */
  async *records(): AsyncGenerator<string[]> {
    const text = this.#text();
    const parser = parse({
      bom: true,
      delimiter: this.#format.delimiter,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: 1_000_000,
    });
    text.on('error', (error) => parser.destroy(error));
    yield* text.pipe(parser) as AsyncIterable<string[]>;
  }
}
