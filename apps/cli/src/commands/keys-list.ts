import type { LiandunClient } from '@liandun/sdk';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { tableText, timeText } from '../render/render.js';
import { roleOf } from './caller.js';
import type { CommonOptions } from './common.js';

/** As GET /v1/members/{memberId}/keys answers. */
export interface MemberKeyList {
  memberId: string;
  keys: {
    kid: string;
    status: string;
    since: string;
    addedAt: string;
    alg: string;
    use: string;
    requests?: { approvalId: string; requestedBy: string; emergency: boolean; confirmBy?: string }[];
  }[];
}

const MEMBERS_A_PAGE = 200;

/** The keys of one member; without one, of the caller itself, or of everybody where an administrator asks. */
export async function listKeys(
  context: Context,
  member: string | undefined,
  options: CommonOptions,
): Promise<ExitCode> {
  const client = context.client(options.as);
  const isEverybody = member === undefined && (await roleOf(client)) === 'admin';
  const memberIds = isEverybody ? await membersOf(client) : [member ?? client.memberId];
  const members: MemberKeyList[] = [];
  for (const memberId of memberIds)
    members.push(await client.get<MemberKeyList>(`/v1/members/${encodeURIComponent(memberId)}/keys`));
  context.print(options.json ? JSON.stringify({ members }) : keysText(context, members));
  return EXIT.done;
}

async function membersOf(client: LiandunClient): Promise<string[]> {
  const memberIds: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const path = `/v1/members?limit=${MEMBERS_A_PAGE}&after=${encodeURIComponent(after)}`;
    const page: { items: { memberId: string }[]; next: string | null } = await client.get(path);
    memberIds.push(...page.items.map(({ memberId }) => memberId));
    after = page.next;
  }
  return memberIds;
}

const COLUMNS = ['memberId', 'kid', 'status', 'since', 'addedAt', 'alg', 'use'];

/** A line for each key, what awaits a second administrator with the command that approves it, and that no key expires. */
export function keysText(context: Context, members: readonly MemberKeyList[]): string {
  const t = context.t.bind(context);
  const keys = members.flatMap(({ memberId, keys: of }) => of.map((key) => ({ memberId, ...key })));
  const asked = keys.flatMap(({ kid, requests = [] }) =>
    requests.map(({ approvalId, requestedBy, emergency, confirmBy }) => {
      const what = emergency
        ? t(`emergency stop of ${kid} by ${requestedBy}`, `${requestedBy} 紧急停用 ${kid}`)
        : t(`revocation of ${kid} asked by ${requestedBy}`, `${requestedBy} 申请吊销 ${kid}`);
      const until = confirmBy === undefined ? '' : t(`, until ${timeText(confirmBy)}`, `，期限 ${timeText(confirmBy)}`);
      return t(
        `${what}: awaits a second administrator${until}: liandun keys approve ${approvalId}`,
        `${what}：待另一管理员审批${until}：liandun keys approve ${approvalId}`,
      );
    }),
  );
  return [
    ...tableText(context, 'keys', keys, COLUMNS),
    ...(asked.length > 0 ? ['', ...asked] : []),
    '',
    t('Keys have no expiry: one is live until it is revoked.', '密钥没有到期时间：吊销之前一直有效。'),
  ].join('\n');
}
