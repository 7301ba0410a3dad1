import type { Reader, ReaderStatus } from '@liandun/event-log';
import type { PublisherStatus } from '@liandun/tlog';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What /metrics shows (Prometheus text format). Labels come from closed lists. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly notices = new Counter({
    name: 'liandun_notices_issued_total',
    help: 'Notices issued by action',
    labelNames: ['action'] as const,
    registers: [this.registry],
  });
  /** From the acceptance of a listing or of its ending to the decision on its notices. */
  readonly acceptedToNotice = new Histogram({
    name: 'liandun_accepted_to_notice_seconds',
    help: 'Time from the accepted event to its issued notice, by direction',
    labelNames: ['direction'] as const,
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: [this.registry],
  });

  constructor() {
    // With a prefix, since the api shows these beside its own.
    collectDefaultMetrics({ register: this.registry, prefix: 'liandun_worker_' });
  }

  watchReaders(readers: () => Reader[]): void {
    const gauge = (name: string, help: string, value: (status: ReaderStatus) => number): void => {
      const metric: Gauge<'reader'> = new Gauge({
        name,
        help,
        labelNames: ['reader'],
        registers: [this.registry],
        collect: async () => {
          for (const status of await Promise.all(readers().map((reader) => reader.status()))) {
            metric.set({ reader: status.name }, value(status));
          }
        },
      });
    };
    gauge('liandun_reader_lag', 'Entries that a reader has yet to go over', (status) => status.lag);
    gauge('liandun_reader_parked', 'Entries parked by a reader', (status) => status.parkedEvents);
    gauge('liandun_reader_stopped', '1 where a reader has stopped', (status) => (status.stopped ? 1 : 0));
  }

  watchRelay(lag: () => Promise<Map<string, number>>): void {
    const metric: Gauge = new Gauge({
      name: 'liandun_relay_lag',
      help: 'Notices in the log that Kafka has not acknowledged',
      registers: [this.registry],
      collect: async () => metric.set([...(await lag()).values()].reduce((sum, one) => sum + one, 0)),
    });
  }

  watchPublisher(status: () => PublisherStatus): void {
    const gauge = (name: string, help: string, value: (status: PublisherStatus) => number): void => {
      const metric: Gauge = new Gauge({
        name,
        help,
        registers: [this.registry],
        collect: () => metric.set(value(status())),
      });
    };
    gauge('liandun_log_published_size', 'Entries that the newest published checkpoint covers', ({ size }) => size ?? 0);
    gauge('liandun_log_signing_stopped', '1 where no checkpoint is signed any more', ({ stopped }) =>
      stopped ? 1 : 0,
    );
  }
}
