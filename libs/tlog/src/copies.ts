import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where the newest published checkpoint is kept apart from the database: restoring the database must not take it back. */
export interface CheckpointCopy {
  /** For messages to persons. */
  readonly name: string;
  /** The newest one; undefined if there is none. */
  read(): Promise<string | undefined>;
  /** Replaces the older one whole or not at all, and resolves once it would survive a power cut. */
  write(note: string): Promise<void>;
}

/** A copy in a file, which any web server can serve as the log's `checkpoint`. One process writes it at a time. */
export function checkpointFile(path: string): CheckpointCopy {
  return {
    name: path,
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(note) {
      await mkdir(dirname(path), { recursive: true });
      const partial = `${path}.new`;
      await writeDurably(partial, note);
      await rename(partial, path);
      await syncFolder(dirname(path));
    },
  };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The new name is durable only with the folder that holds it. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
