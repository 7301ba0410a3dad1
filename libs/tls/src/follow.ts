import { unwatchFile, watchFile } from 'node:fs';
import { readServerTls, type ServerTls, type TlsFiles } from './certificate.js';

// A certificate is replaced some days before it ends: seconds don't matter.
const LOOK_EVERY_MS = 2_000;

export interface Followed {
  /** Reads the files now. */
  reload(): void;
  stop(): void;
}

/**
 * Hands on the files' new content whenever they change (looked at by path, so that a link which is turned round counts), and when
 * `reload` is called. What can't be used (a key that was written before its certificate) goes to `onProblem`; the next change is
 * looked at again, and until then the old certificate serves. `host` is the name that a new one must have.
 */
export function followCertificate(
  files: TlsFiles,
  onChange: (tls: ServerTls) => void,
  onProblem: (error: Error) => void,
  host?: string,
): Followed {
  let current = '';
  try {
    const { cert, key } = readServerTls(files, host);
    current = cert + key;
  } catch (error) {
    onProblem(error as Error);
  }
  const reload = (): void => {
    try {
      const tls = readServerTls(files, host);
      if (tls.cert + tls.key === current) return;
      onChange(tls);
      current = tls.cert + tls.key;
    } catch (error) {
      onProblem(error as Error);
    }
  };
  const paths = [files.cert, files.key];
  for (const path of paths) watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, reload);
  return {
    reload,
    stop: () => {
      for (const path of paths) unwatchFile(path, reload);
    },
  };
}
