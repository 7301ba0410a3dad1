import { LedgerError } from '@liandun/contracts';
import { readEntryBundle, readHashTile, shownCheckpoint } from '@liandun/tlog';
import { parseTilePath, TransparencyLogError } from '@liandun/transparency-log';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import pg from 'pg';
import { callerOf } from './access-hooks.js';
import { Reads } from './reads.js';
import { Settings } from './settings.js';

/** A tile, also a partial one, never changes. */
const FOREVER = 'max-age=31536000, immutable';

const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new LedgerError('NOT_FOUND');
  return value;
};

/** The tile of the address below `/log/`; NOT_FOUND where it names none. */
function tileOf(request: FastifyRequest): ReturnType<typeof parseTilePath> {
  const path = request.url.split('?', 1)[0]!.slice('/log/'.length);
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof TransparencyLogError) throw new LedgerError('NOT_FOUND');
    throw error;
  }
}

/** The log as any C2SP tlog-tiles client reads it. Hashes tell nothing of the entries, which hold a nonce each. */
@Controller('/log')
export class LogController {
  constructor(
    @Inject(pg.Pool) private readonly pool: pg.Pool,
    private readonly settings: Settings,
    private readonly reads: Reads,
  ) {}

  /** With its cosignatures; where a policy is set, the newest that enough witnesses have cosigned. */
  @Get('/checkpoint')
  async checkpoint(@Res() reply: FastifyReply): Promise<void> {
    const { note } = found(await shownCheckpoint(this.pool, this.settings.witnesses));
    void reply.type('text/plain; charset=utf-8').header('cache-control', 'public, no-cache').send(note);
  }

  @Get('/tile/entries/*')
  async entries(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const tile = tileOf(request);
    if (tile.kind !== 'entries') throw new LedgerError('NOT_FOUND');
    const bytes = found(await this.reads.as(callerOf(request), (db) => readEntryBundle(db, tile)));
    void reply.type('application/octet-stream').header('cache-control', `private, ${FOREVER}`).send(bytes);
  }

  @Get('/tile/:level/*')
  async hashes(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const tile = tileOf(request);
    const bytes = found(tile.kind === 'hashes' ? await readHashTile(this.pool, tile) : undefined);
    void reply.type('application/octet-stream').header('cache-control', `public, ${FOREVER}`).send(bytes);
  }
}
