import type { Reader, ReaderStatus } from '@liandun/event-log';
import type { PublisherStatus, Witnesses, WitnessStatus } from '@liandun/tlog';
import type { RotationProgress } from '@liandun/vault';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A disposition of a notice, as far as the metrics go. */
interface Answer {
  position: number;
  action: string;
  seconds: number;
  /** Whether nothing was answered to the notice before. */
  first: boolean;
}

const ANSWERS_PER_LOOK = 10_000;

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

  private readonly acknowledged = new Histogram({
    name: 'liandun_notice_acknowledged_seconds',
    help: 'Time from an issued notice to its first disposition, by action: how fast members acknowledge what takes back, and what closes',
    labelNames: ['action'] as const,
    buckets: [0.1, 1, 10, 60, 300, 1_800, 7_200, 28_800, 86_400, 259_200],
    registers: [this.registry],
    collect: () => this.lookForAnswers(),
  });
  private lookForAnswers: () => Promise<void> = () => Promise.resolve();

  private readonly rotationEntries = new Gauge({
    name: 'liandun_key_rotation_entries',
    help: 'Entries that the key rotation has sealed or indexed anew since the start, by job and version',
    labelNames: ['job', 'version'] as const,
    registers: [this.registry],
  });
  private readonly rotationShare = new Gauge({
    name: 'liandun_key_rotation_ratio',
    help: 'How far the key rotation has come through the log, 0 to 1, by job and version',
    labelNames: ['job', 'version'] as const,
    registers: [this.registry],
  });

  constructor() {
    // With a prefix, since the api shows these beside its own.
    collectDefaultMetrics({ register: this.registry, prefix: 'liandun_worker_' });
  }

  /** Each first answer after this start is observed once, when somebody looks: who scrapes often loses nothing. */
  watchAnswers(last: () => Promise<number>, after: (position: number, limit: number) => Promise<Answer[]>): void {
    let position: Promise<number> | undefined = last();
    let looking: Promise<void> = Promise.resolve();
    const look = async (): Promise<void> => {
      let from = await (position ??= last());
      for (let more = true; more;) {
        const answers = await after(from, ANSWERS_PER_LOOK);
        for (const { action, seconds, first } of answers) if (first) this.acknowledged.observe({ action }, seconds);
        from = answers.at(-1)?.position ?? from;
        position = Promise.resolve(from);
        more = answers.length === ANSWERS_PER_LOOK;
      }
    };
    position.catch(() => (position = undefined));
    // One after the other: two that look at once would count an answer twice.
    this.lookForAnswers = () => (looking = looking.catch(() => undefined).then(look));
  }

  /** Shows how far a rotation of the vault's keys is. */
  rotated({ job, version, entries, position, last, done }: RotationProgress): void {
    const labels = { job, version: String(version) };
    this.rotationEntries.set(labels, entries);
    this.rotationShare.set(labels, done || last === 0 ? 1 : position / last);
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

  /** Delistings wait while the fold or Kafka has enough before it; what takes back never does. */
  watchDelist(waitsFor: () => 'fold' | 'unsent' | undefined): void {
    const metric: Gauge<'for'> = new Gauge({
      name: 'liandun_delist_waiting',
      help: '1 where no delisting is told of until the fold has caught up or Kafka has what was told',
      labelNames: ['for'],
      registers: [this.registry],
      collect: () => {
        for (const why of ['fold', 'unsent'] as const) metric.set({ for: why }, waitsFor() === why ? 1 : 0);
      },
    });
  }

  watchRelay(lag: () => Promise<Map<string, number>>): void {
    const metric: Gauge = new Gauge({
      name: 'liandun_relay_lag',
      help: 'Notices in the log that Kafka has not acknowledged',
      registers: [this.registry],
      collect: async () => metric.set([...(await lag()).values()].reduce((sum, one) => sum + one, 0)),
    });
  }

  watchWebhooks(backlog: () => Promise<{ waiting: number; disabled: number; dead: number }>): void {
    const gauge = (name: string, help: string, field: 'waiting' | 'disabled' | 'dead'): void => {
      const metric: Gauge = new Gauge({
        name,
        help,
        registers: [this.registry],
        collect: async () => metric.set((await backlog())[field]),
      });
    };
    gauge('liandun_webhook_waiting', 'Notices in the log that webhooks have not delivered', 'waiting');
    gauge('liandun_webhook_disabled', 'Webhooks that are disabled until their member enables them', 'disabled');
    gauge('liandun_webhook_dead_letters', 'Messages that webhooks gave up, until they are replayed', 'dead');
  }

  /** Until which year deadlines are counted by known working days, and into how many others they ran. */
  watchClock(status: () => { knownUntil: number; unknownYears: number[]; released: number; expired: number }): void {
    const gauge = (name: string, help: string, value: (now: ReturnType<typeof status>) => number): void => {
      const metric: Gauge = new Gauge({
        name,
        help,
        registers: [this.registry],
        collect: () => metric.set(value(status())),
      });
    };
    gauge(
      'liandun_working_days_known_until_year',
      'The last year whose working days are known',
      (now) => now.knownUntil,
    );
    gauge(
      'liandun_working_days_unknown_years',
      'Years that deadlines were counted into by weekends alone since the start',
      (now) => now.unknownYears.length,
    );
    gauge('liandun_clock_released', 'Held cases that the clock published since the start', (now) => now.released);
    gauge('liandun_clock_expired', 'Listings that the clock expired since the start', (now) => now.expired);
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

  /** The label is the name of a witness's key: as many as the policy names. */
  watchWitnesses(status: () => ReturnType<Witnesses['status']>): void {
    const witnessed: Gauge = new Gauge({
      name: 'liandun_log_witnessed_size',
      help: 'Entries that the newest checkpoint covers which enough witnesses have cosigned',
      registers: [this.registry],
      collect: () => witnessed.set(status().witnessedSize),
    });
    const gauge = (name: string, help: string, value: (witness: WitnessStatus) => number): void => {
      const metric: Gauge<'witness'> = new Gauge({
        name,
        help,
        labelNames: ['witness'],
        registers: [this.registry],
        collect: () => {
          for (const witness of status().witnesses) metric.set({ witness: witness.name }, value(witness));
        },
      });
    };
    gauge(
      'liandun_log_witness_cosigned_size',
      'Entries of the newest checkpoint that a witness has cosigned',
      (one) => one.cosignedSize,
    );
    gauge('liandun_log_witness_alarm', '1 where a witness objects to the log: it was forked or rolled back', (one) =>
      one.alarm ? 1 : 0,
    );
    gauge('liandun_log_witness_failing', '1 where a witness gave no cosignature when it was asked last', (one) =>
      one.problem === undefined ? 0 : 1,
    );
  }
}
