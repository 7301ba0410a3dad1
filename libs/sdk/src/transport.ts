import { Agent as HttpsAgent } from 'node:https';
import { Agent } from 'undici';

/** How a client reaches the ledger: requests, and streams that are sent while the answer is read. */
export interface Transport {
  fetch: typeof fetch;
  /** For node:https; absent where the system's authorities are trusted. */
  agent?: HttpsAgent;
}

/**
 * With `ca` (PEM), servers are trusted that those authorities have issued a certificate, and no others; without it those that Node
 * trusts, to which NODE_EXTRA_CA_CERTS adds. Certificates and names are always checked.
 */
export function transportOf(ca: string | undefined): Transport {
  if (ca === undefined) return { fetch };
  const dispatcher = new Agent({ connect: { ca } });
  return {
    fetch: (input, init) => fetch(input, { ...init, dispatcher }),
    agent: new HttpsAgent({ ca }),
  };
}
