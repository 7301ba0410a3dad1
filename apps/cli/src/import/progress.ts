import { SingleBar } from 'cli-progress';
import type { Context } from '../context.js';

/** How far an import is. */
export interface Progress {
  update(state: { rows: number; rejected: number; share: number }): void;
  stop(): void;
}

const PLAIN_EVERY_MS = 10_000;

/** A bar on a terminal, else a line every ten seconds; on the error output, so that a pipe gets the result alone. */
export function progressOf(context: Context): Progress {
  return context.around.stderr.isTTY ? bar(context) : plain(context);
}

const rateSince = (beganMs: number, rows: number): number =>
  Math.round(rows / Math.max(0.001, (performance.now() - beganMs) / 1000));

function bar(context: Context): Progress {
  const unit = context.t('{rows} rows, {rate}/s, {rejected} refused', '{rows} 行，{rate} 行/秒，拒绝 {rejected}');
  const view = new SingleBar({
    format: `{bar} {percentage}%  ${unit}`,
    stream: context.around.stderr,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    etaAsynchronousUpdate: false,
  });
  const beganMs = performance.now();
  let first: number | undefined;
  view.start(100, 0, { rows: '0', rate: '0', rejected: '0' });
  return {
    update({ rows, rejected, share }) {
      first ??= rows;
      const rate = rateSince(beganMs, rows - first).toLocaleString('en');
      view.update(Math.floor(share * 100), {
        rows: rows.toLocaleString('en'),
        rate,
        rejected: rejected.toLocaleString('en'),
      });
    },
    stop: () => view.stop(),
  };
}

function plain(context: Context): Progress {
  const beganMs = performance.now();
  let saidMs = beganMs;
  let first: number | undefined;
  return {
    update({ rows, rejected, share }) {
      first ??= rows;
      if (performance.now() - saidMs < PLAIN_EVERY_MS) return;
      saidMs = performance.now();
      const rate = rateSince(beganMs, rows - first);
      const percent = Math.floor(share * 100);
      context.note(
        context.t(
          `${percent}%  ${rows} rows, ${rate}/s, ${rejected} refused`,
          `${percent}%  ${rows} 行，${rate} 行/秒，拒绝 ${rejected}`,
        ),
      );
    },
    stop: () => undefined,
  };
}
