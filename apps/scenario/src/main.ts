import { parseArgs } from 'node:util';
import { newRunId } from './cast.js';
import { Platform } from './platforms.js';
import { Play } from './play.js';
import { report } from './report.js';
import { heading } from './screen.js';
import { Subject } from './subject.js';
import { TEXTS } from './texts.js';

// Plays the main story on a running sandbox. SANDBOXES: a JSON object, member id to the address of its control routes;
// CODES_URL: the sandbox's gateway for one-time codes.
const { values } = parseArgs({ options: { lang: { type: 'string', default: 'en' } } });
const text = values.lang === 'zh' ? TEXTS.zh : TEXTS.en;
const addresses = JSON.parse(process.env['SANDBOXES'] ?? '{}') as Record<string, string>;
const platforms = Object.entries(addresses).map(([memberId, url]) => new Platform(memberId, url));

/** What went wrong, with what lies behind it: of a refused connection only that says where. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

try {
  const run = newRunId();
  console.log(heading(text.title(run)));
  const { LIANDUN_URL, CODES_URL } = process.env;
  const subject = LIANDUN_URL && CODES_URL ? new Subject(LIANDUN_URL, CODES_URL) : undefined;
  const play = new Play(run, platforms, text, (line) => console.log(line), subject);
  await play.run();
  console.log(report(play.cast, play.outcomes, Object.keys(addresses), text));
} catch (error) {
  console.error(`✗ ${text.failed(causeOf(error))}`);
  process.exitCode = 1;
}
