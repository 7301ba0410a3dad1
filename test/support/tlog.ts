import { generateKeyPairSync } from 'node:crypto';
import {
  bundlePath,
  edgeRoot,
  EMPTY_EDGE,
  encodeBundle,
  growEdge,
  leafHash,
  signerKeyFromJwk,
  tilePath,
  TransparencyLogError,
  type KeyUse,
  type LogSource,
  type ReadTiles,
  type SignerKey,
  type TreeEdge,
} from '@liandun/transparency-log';

/** The code of the error that the work throws, `undefined` if it throws none. */
export function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof TransparencyLogError) return error.code;
    throw error;
  }
}

/** A signer with a key of its own. */
export const newSigner = (name: string, use: KeyUse = 'log'): SignerKey =>
  signerKeyFromJwk({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: name }, use);

/** A log in memory, whose files are kept as a web server would have them: full and partial tiles of every size that it had. */
export class MemoryLog {
  readonly files = new Map<string, Buffer>();
  readonly entries: string[] = [];
  private edge: TreeEdge = EMPTY_EDGE;

  constructor(entries: string[] = []) {
    this.append(entries);
  }

  get size(): number {
    return this.edge.size;
  }

  get root(): Buffer {
    return edgeRoot(this.edge);
  }

  append(entries: string[]): void {
    const { edge, tiles } = growEdge(
      this.edge,
      entries.map((entry) => leafHash(entry)),
    );
    this.edge = edge;
    this.entries.push(...entries);
    for (const { hashes, ...tile } of tiles) {
      this.files.set(tilePath(tile), Buffer.from(hashes));
      if (tile.level > 0) continue;
      const first = tile.index * 256;
      this.files.set(bundlePath(tile), encodeBundle(this.entries.slice(first, first + tile.width)));
    }
  }

  readonly readTiles: ReadTiles = (tiles) => Promise.all(tiles.map((tile) => this.source.hashes(tile)));

  readonly source: LogSource = {
    hashes: (tile) => this.file(tilePath(tile)),
    entries: (bundle) => this.file(bundlePath(bundle)),
  };

  private async file(path: string): Promise<Buffer> {
    const bytes = this.files.get(path);
    if (!bytes) throw new Error(`There is no ${path}`);
    return bytes;
  }
}
