import { readFile } from 'node:fs/promises';
import type { MemberAdmitted } from '@liandun/contracts';
import { EventLog } from '@liandun/event-log';
import { ACCESS_RIDER, memberList } from '@liandun/views';
import type pg from 'pg';
import { MemberAdmissionBody } from './bodies.dto.js';
import { agreementOf, keyOf, limitsOf, parseBody, subscriptionOf } from './bodies.js';
import type { LedgerWriter } from './ledger-writer.js';
import { ProblemError } from './problems.js';
import { SettingsError } from './settings.js';

const ADMINISTRATORS_MIN = 2;

function parseMembers(text: string, path: string): MemberAdmitted[] {
  try {
    return (JSON.parse(text) as unknown[]).map((raw) => {
      const { memberId, name, role, keys, subscription = {}, agreement, limits } = parseBody(MemberAdmissionBody, raw);
      return {
        memberId,
        name,
        role,
        keys: keys.map((key) => keyOf(key, '/keys')),
        subscription: subscriptionOf(subscription),
        ...(agreement && { agreement: agreementOf(agreement, '/agreement') }),
        limits: limitsOf(limits),
      };
    });
  } catch (error) {
    const cause = error instanceof ProblemError ? (error.refusal.errors?.[0]?.pointer ?? '') : 'it is not a JSON list';
    throw new SettingsError(`LIANDUN_GENESIS: ${path} can't be used: ${cause}`);
  }
}

/**
 * Admits the first members of a ledger that has none, all or nothing: from then on every change needs two
 * administrators. On a ledger with members the file is not looked at. Throws SettingsError where it can't be used.
 */
export async function admitGenesis(path: string, pool: pg.Pool, log: EventLog, writer: LedgerWriter): Promise<void> {
  if ((await memberList(pool, { after: '', limit: 1 })).length > 0) return;
  const text = await readFile(path, 'utf8').catch(() => {
    throw new SettingsError(`LIANDUN_GENESIS: ${path} can't be read`);
  });
  const members = parseMembers(text, path);
  if (members.filter(({ role }) => role === 'admin').length < ADMINISTRATORS_MIN)
    throw new SettingsError(`LIANDUN_GENESIS: ${path} needs ${ADMINISTRATORS_MIN} administrators`);
  const type = 'liandun.member.admitted.v1';
  const events = members.map((data) =>
    writer.event(
      `member/${data.memberId}`,
      { id: `genesis:${data.memberId}`, type, data },
      { [ACCESS_RIDER]: { type, data } },
    ),
  );
  const expected = Object.fromEntries(events.map(({ stream }) => [stream, -1]));
  const outcome = await log.append({ events, expected });
  if (outcome.status === 'reused' || outcome.status === 'conflict')
    throw new SettingsError('LIANDUN_GENESIS: another process admitted other members at the same moment; start again');
}
