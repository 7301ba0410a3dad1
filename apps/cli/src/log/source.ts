import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundlePath, TILE_WIDTH, tilePath, type LogSource } from '@liandun/transparency-log';
import type { Context } from '../context.js';
import { CliError, EXIT } from '../exit-codes.js';

/** The files of a log by their path below its prefix (C2SP tlog-tiles). Rejects where one is not there. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

const BUNDLES_AHEAD = 4;
const TIMEOUT_MS = 30_000;
const ATTEMPTS_MAX = 4;

/** The log's files from a folder, or from a web server; `token` opens the entries there. */
export function filesOf(context: Context, from: string, token?: () => Promise<string>): ReadFile {
  if (!/^https?:/.test(from)) return (path) => readFile(join(context.path(from), path));
  const prefix = from.endsWith('/') ? from : `${from}/`;
  return async (path) => {
    const headers: Record<string, string> =
      token && path.startsWith('tile/entries/') ? { authorization: `Bearer ${await token()}` } : {};
    const response = await fetchAgain(`${prefix}${path}`, headers);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw refused(response.status, `${prefix}${path}`);
  };
}

/** Tries again what a network or a busy server may have failed at. */
async function fetchAgain(url: string, headers: Record<string, string>): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
      if (response.status < 500 || attempt === ATTEMPTS_MAX) return response;
      await response.arrayBuffer();
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) {
        const why = error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : '';
        throw new CliError(EXIT.unreachable, 'UNREACHABLE', `${url}: ${why}`, `无法连接 ${url}：${why}`);
      }
    }
    await new Promise((resolve) => void setTimeout(resolve, 200 * attempt));
  }
}

function refused(status: number, url: string): CliError {
  if (status === 401 || status === 403) {
    return new CliError(
      EXIT.forbidden,
      'ENTRIES_CLOSED',
      `${url}: ${status}. The entries are for regulators: name one with --token-of.`,
      `${url}：${status}。日志记录仅限监管端：请用 --token-of 指定一个监管成员。`,
    );
  }
  return new CliError(EXIT.failed, 'NOT_SERVED', `${url}: ${status}`, `${url}：${status}`);
}

/** Reads bundles a little ahead of the one that is asked for, so that nobody waits for each in turn. */
export function sourceOf(read: ReadFile, size: number): LogSource {
  const ahead = new Map<number, Promise<Uint8Array>>();
  const bundles = Math.ceil(size / TILE_WIDTH);
  const fetchBundle = (index: number): Promise<Uint8Array> => {
    const bytes = read(bundlePath({ index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) }));
    bytes.catch(() => undefined); // told when it is asked for
    return bytes;
  };
  return {
    hashes: (tile) => read(tilePath(tile)),
    entries({ index }) {
      for (let next = index; next < Math.min(index + BUNDLES_AHEAD, bundles); next += 1) {
        if (!ahead.has(next)) ahead.set(next, fetchBundle(next));
      }
      const bytes = ahead.get(index)!;
      ahead.delete(index);
      return bytes;
    },
  };
}
