import type { Cast } from './cast.js';
import type { Outcome } from './play.js';
import { heading, median, table } from './screen.js';
import type { Text } from './texts.js';

const ms = (value: number | undefined): string => (value === undefined ? '–' : `${Math.round(value)} ms`);
const slowest = (values: number[]): number | undefined => (values.length > 0 ? Math.max(...values) : undefined);

/** The table at the end: for each platform what it shared and what it did, and how long that took. */
export function report(cast: Cast, outcomes: Outcome[], platforms: string[], text: Text): string {
  const row = (label: string, mine: (platform: string) => boolean): string[] => {
    const its = outcomes.filter(({ platform }) => mine(platform));
    const closing = its.filter(({ handled }) => handled.action === 'close');
    const closed = closing.filter(({ handled }) => handled.decision === 'closed');
    const counts = [
      cast.records.filter(({ own }) => mine(own.platform)).length,
      closing.length,
      closed.length,
      closing.filter(({ handled }) => handled.decision === 'declined').length,
      its.filter(({ handled }) => handled.decision === 'reopened').length,
    ];
    return [label, ...counts.map(String), ms(median(closed.map(({ tookMs }) => tookMs)))];
  };
  const rows = [
    text.columns,
    ...platforms.map((memberId) => row(memberId, (platform) => platform === memberId)),
    row(text.total, () => true),
  ];
  const took = (decision: string): number[] =>
    outcomes.filter(({ handled }) => handled.decision === decision).map(({ tookMs }) => tookMs);
  const [out, back] = [took('closed'), took('reopened')];
  const restricted = outcomes.filter(({ handled }) => handled.action === 'restrictAdmission').length;
  return [
    heading(text.result),
    table(rows, text.widths),
    '',
    table(
      [
        text.latencies,
        [text.median, ms(median(out)), ms(median(back))],
        [text.slowest, ms(slowest(out)), ms(slowest(back))],
      ],
      text.latencyWidths,
      false,
    ),
    '',
    text.restricted(restricted),
    text.bystanders(cast.bystanders.length),
  ].join('\n');
}
