import { SUBMITTED_TYPES, type Alarm, type Receipt } from '@liandun/contracts';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { Rate } from './limits.js';

const KNOWN_TYPES = new Set<string>(Object.values(SUBMITTED_TYPES));

/** What /metrics shows (Prometheus text format). Labels come from closed lists, so their number is bounded. */
export class Metrics {
  readonly registry = new Registry();
  readonly #events: Counter<'type' | 'status'>;
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #limited: Counter<'rate'>;
  readonly #alarms: Counter<'alarm'>;

  constructor() {
    const registers = [this.registry];
    this.#events = new Counter({
      name: 'liandun_events_total',
      help: 'Submitted events by type and receipt',
      labelNames: ['type', 'status'],
      registers,
    });
    this.#requests = new Histogram({
      name: 'liandun_http_request_duration_seconds',
      help: 'Duration of HTTP requests by route',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    });
    this.#limited = new Counter({
      name: 'liandun_rate_limited_total',
      help: 'Requests refused, and pauses of a stream, by the quota that was used up',
      labelNames: ['rate'],
      registers,
    });
    this.#alarms = new Counter({
      name: 'liandun_alarms_total',
      help: 'Members that seem to sweep the ledger, by alarm; which ones is in the log',
      labelNames: ['alarm'],
      registers,
    });
    collectDefaultMetrics({ register: this.registry });
  }

  countEvent(type: string | undefined, { status }: Receipt): void {
    this.#events.inc({ type: type !== undefined && KNOWN_TYPES.has(type) ? type : 'unknown', status });
  }

  countLimited(rate: Rate): void {
    this.#limited.inc({ rate });
  }

  countAlarm(alarm: Alarm): void {
    this.#alarms.inc({ alarm });
  }

  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }
}
