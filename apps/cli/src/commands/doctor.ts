import { LiandunError } from '@liandun/sdk';
import { TlsError } from '@liandun/tls';
import type { Context } from '../context.js';
import { CliError, EXIT, type ExitCode } from '../exit-codes.js';
import { pad } from '../layout.js';
import { problemText, type CommonOptions } from './common.js';
import { tlsCheck } from './doctor-tls.js';
import { ledgerChecks, machineChecks, type Check, type Finding } from './doctor-checks.js';

/** Checks every part on which the tool and the ledger depend, and says for each failure what to do. */
export async function doctor(context: Context, options: CommonOptions): Promise<ExitCode> {
  const findings: Finding[] = [];
  const failed = new Set<string>();
  for (const check of [...machineChecks(context), tlsCheck(context), ...ledgerChecks(context, options.as)]) {
    const finding = await examine(context, check, failed);
    if (finding.status === 'fail' || finding.status === 'skipped') failed.add(check.name);
    findings.push(finding);
    if (!options.json) context.print(findingText(context, finding));
  }
  const bad = findings.filter(({ status }) => status === 'fail').length;
  if (options.json) context.print(JSON.stringify({ healthy: bad === 0, findings }));
  else
    context.print(
      bad === 0 ? context.t('\nAll is well.', '\n一切正常。') : context.t(`\n${bad} to mend.`, `\n${bad} 项需要处理。`),
    );
  return bad === 0 ? EXIT.done : EXIT.unhealthy;
}

async function examine(context: Context, check: Check, failed: ReadonlySet<string>): Promise<Finding> {
  const missing = check.needs?.find((name) => failed.has(name));
  if (missing) {
    return { name: check.name, status: 'skipped', detail: context.t(`needs ${missing}`, `依赖 ${missing}`) };
  }
  try {
    return { name: check.name, ...(await check.examine()) };
  } catch (error) {
    return { name: check.name, status: 'fail', detail: reasonOf(context, error), remedy: check.remedy };
  }
}

/** What went wrong, in the user's language where it is the tool or the ledger that says it. */
function reasonOf(context: Context, error: unknown): string {
  if (error instanceof CliError) return context.t(error.message, error.messageZh);
  if (error instanceof TlsError) return context.t(error.english, error.chinese);
  if (error instanceof LiandunError && error.problem) return problemText(context, error.problem);
  return error instanceof Error ? error.message : String(error);
}

function findingText(context: Context, { name, status, detail, remedy }: Finding): string {
  const { green, yellow, red, dim } = context.colors;
  const mark = { ok: green('✓'), warn: yellow('!'), fail: red('✗'), skipped: dim('-') }[status];
  const line = `${mark} ${pad(name, 8)}  ${detail.replaceAll(/\s+/g, ' ')}`;
  return remedy ? `${line}\n    → ${remedy}` : line;
}
