import { LedgerError, toBeijingTime, type MemberKey } from '@liandun/contracts';
import { SUSPENSION_CONFIRMED_WITHIN_MS } from '@liandun/domain';
import { keysOfMember, type MemberKeyRow } from '@liandun/views';
import { Controller, Get, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Reads } from './reads.js';

/** What a key of each curve signs with (RFC 8037 section 3.1, RFC 7518 section 3.4). */
const ALGORITHMS: Record<MemberKey['crv'], string> = { Ed25519: 'EdDSA', 'P-256': 'ES256' };

function requestShown({ requestedAt, ...request }: MemberKeyRow['requests'][number]): object {
  const at = new Date(requestedAt);
  return {
    ...request,
    requestedAt: toBeijingTime(at),
    ...(request.emergency && { confirmBy: toBeijingTime(new Date(at.getTime() + SUSPENSION_CONFIRMED_WITHIN_MS)) }),
  };
}

const shown = ({ key, status, addedAt, since, requests }: MemberKeyRow): object => ({
  kid: key.kid,
  status,
  since: toBeijingTime(since),
  addedAt: toBeijingTime(addedAt),
  alg: ALGORITHMS[key.crv],
  // The one purpose of a member's key: it signs assertions (RFC 7523) and events.
  use: 'sig',
  key,
  ...(requests.length > 0 && { requests: requests.map(requestShown) }),
});

/** Which keys a member has. */
@Controller('/v1')
export class MemberKeysController {
  constructor(private readonly reads: Reads) {}

  /** An administrator sees every member's; a member its own, and any other's is not there for it (rule P18). */
  @Get('/members/:memberId/keys')
  async keys(@Req() request: FastifyRequest, @Param('memberId') memberId: string): Promise<object> {
    const caller = callerOf(request);
    if (caller.role !== 'admin' && caller.memberId !== memberId) throw new LedgerError('MEMBER_NOT_FOUND');
    const keys = await this.reads.as(caller, (db) => keysOfMember(db, memberId));
    if (keys.length === 0) throw new LedgerError('MEMBER_NOT_FOUND');
    return { memberId, keys: keys.map(shown) };
  }
}
