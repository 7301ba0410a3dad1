import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
// @ts-expect-error kafkajs ships no types for its inside
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

interface Queue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

// kafkajs 2.2.4 sets a timer for minus the time of day after every request: Node 24 warns of it (tulios/kafkajs#1751).
// An empty queue needs no timer, a throttled one waits until the throttle ends.
(
  RequestQueue as { prototype: Queue & { scheduleCheckPendingRequests(): void } }
).prototype.scheduleCheckPendingRequests = function (this: Queue) {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    Math.max(this.throttledUntil - Date.now(), 10),
  );
};

export interface KafkaSettings {
  /** `host:port`, comma-separated. */
  brokers: string;
  clientId: string;
  /** Gives a fresh access token for each (re)authentication; without it the listener is not authenticated. */
  token?: () => Promise<string>;
  /** TLS: `true` for the authorities that Node trusts, or with the `ca` of one's own. Absent, everything goes in the clear. */
  ssl?: KafkaConfig['ssl'];
}

/**
 * A kafkajs client that keeps quiet, gives up soon and bounds its own retries: whoever uses it retries with its own
 * state in hand. Its `connect()` succeeds even with a token that the broker has refused; only a request tells.
 */
export function kafkaClient({ brokers, clientId, token, ssl }: KafkaSettings): Kafka {
  return new Kafka({
    brokers: brokers.split(','),
    clientId,
    ssl,
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    authenticationTimeout: 5_000,
    requestTimeout: 15_000,
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 2_000 },
    ...(token && {
      sasl: { mechanism: 'oauthbearer' as const, oauthBearerProvider: async () => ({ value: await token() }) },
    }),
  });
}

/** The listener that a member's Kafka client uses: with `ssl: true` it trusts what the client of the same ledger trusts. */
export const sslOf = (ssl: KafkaSettings['ssl'], ca: string | undefined): KafkaSettings['ssl'] =>
  ssl === true && ca !== undefined ? { ca } : ssl;
