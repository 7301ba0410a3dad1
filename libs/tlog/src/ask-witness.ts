import {
  formatAddCheckpoint,
  formatSignatureLine,
  openCheckpoint,
  parseConflict,
  parseNote,
  parseSignatureLines,
  TransparencyLogError,
  verifyNote,
  type OpenedCheckpoint,
  type VerifierKey,
} from '@liandun/transparency-log';
import { hash } from 'node:crypto';
import type { PolicyWitness } from './policy.js';

const ANSWER_BYTES_MAX = 256 * 1024;

/** What a witness answers (C2SP tlog-witness). `conflict`: the newest that it has cosigned is of this size. */
export type WitnessAnswer =
  /** The signature line, verified. */
  { answer: 'cosigned'; line: string } | { answer: 'conflict'; size: number } | { answer: 'inconsistent' };

/** A witness gave no answer that helps: it can't be reached, doesn't know the log, or is out of order. */
export class WitnessFault extends Error {
  override readonly name = 'WitnessFault';
}

export interface AskOptions {
  signal: AbortSignal;
}

/** Asks for a cosignature of the signed checkpoint `note`, with the proof that it goes on from `oldSize`. Rejects with WitnessFault. */
export async function askWitness(
  witness: PolicyWitness,
  { oldSize, proof, note }: { oldSize: number; proof: Buffer[]; note: string },
  options: AskOptions,
): Promise<WitnessAnswer> {
  const parsed = parseNote(note);
  const body = formatAddCheckpoint({ oldSize, proof, note: parsed });
  const { status, text } = await request(`${witness.url}/add-checkpoint`, { ...options, body });
  try {
    switch (status) {
      case 200: {
        const lines = parseSignatureLines(text);
        const [verified] = verifyNote({ text: parsed.text, signatures: lines }, [witness.key]);
        return { answer: 'cosigned', line: formatSignatureLine(verified!.signature) };
      }
      case 409:
        return { answer: 'conflict', size: parseConflict(text) };
      case 422:
        return { answer: 'inconsistent' };
      default:
        throw new WitnessFault(`it answered ${status}: ${text.slice(0, 200).trim()}`);
    }
  } catch (error) {
    if (!(error instanceof TransparencyLogError)) throw error;
    throw new WitnessFault(`its answer ${status} is not one of a witness: ${error.message}`, { cause: error });
  }
}

/** The newest checkpoint that a witness shows of the log, if that log's own key has signed it (C2SP tlog-witness, monitor retrieval). */
export async function checkpointOf(
  witness: PolicyWitness,
  log: VerifierKey,
  options: AskOptions,
): Promise<(OpenedCheckpoint & { signed: string }) | undefined> {
  try {
    const { status, text } = await request(`${witness.url}/${hash('sha256', log.name)}/checkpoint`, options);
    return status === 200 ? { ...openCheckpoint(text, { logs: [log] }), signed: text } : undefined;
  } catch (error) {
    if (error instanceof TransparencyLogError || error instanceof WitnessFault) return undefined;
    throw error;
  }
}

async function request(
  url: string,
  { body, signal }: AskOptions & { body?: string },
): Promise<{ status: number; text: string }> {
  try {
    const init = body === undefined ? {} : { method: 'POST', body };
    const response = await fetch(url, { ...init, signal, redirect: 'error' });
    return { status: response.status, text: await limited(response) };
  } catch (error) {
    if (error instanceof WitnessFault) throw error;
    const { cause, name, message } = error as Error & { cause?: { code?: string; message?: string } };
    const why = name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? cause?.message ?? message);
    throw new WitnessFault(`it can't be reached: ${why}`, { cause: error });
  }
}

/** A witness is nobody of ours: it doesn't get to fill the memory. */
async function limited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new WitnessFault(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
