import type { ReaderDefinition, StoredEvent } from '@liandun/event-log';
import { growEdge, leafHash } from '@liandun/transparency-log';
import type pg from 'pg';
import { TlogError } from './errors.js';
import { loadEdge, saveGrowth } from './tree-store.js';

const ENTRIES_PER_BATCH_MAX = 2048;
/** A checkpoint is signed every 200 ms: notices go first. */
const PATIENCE_MS = 25;

/**
 * The reader that hashes new entries into the tree: position is leaf index. It never passes over an entry: should one fail for good,
 * that one is parked and all later ones wait behind it, so the tree stands still and the reader's status says why.
 */
export function tlogReader(): ReaderDefinition {
  return {
    name: 'tlog',
    batchMax: ENTRIES_PER_BATCH_MAX,
    patienceMs: PATIENCE_MS,
    keysOf: () => ['tree'],
    handle: appendLeaves,
  };
}

async function appendLeaves(client: pg.PoolClient, events: StoredEvent[]): Promise<void> {
  const edge = await loadEdge(client, { lock: true });
  const leaves = events.map((event, i) => {
    if (event.position !== edge.size + i) {
      throw new TlogError('POSITION_MISSING', `Entry ${edge.size + i} is next in the tree, not ${event.position}`);
    }
    // Hashed anew, so that nobody who changed an entry gets it published.
    const leaf = leafHash(event.entry);
    if (!leaf.equals(event.leafHash)) {
      throw new TlogError('ENTRY_CHANGED', `Entry ${event.position} is not what its receipt says`);
    }
    return leaf;
  });
  const grown = growEdge(edge, leaves);
  await saveGrowth(client, grown.edge.size, grown.tiles);
}
