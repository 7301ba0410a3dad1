import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError } from '@liandun/contracts';
import { Controller, Get, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

/** A page of its own origin only: no script or style in its text, nothing from elsewhere, no frame, no form that goes anywhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'texts.js': 'text/javascript; charset=utf-8',
};

/** The subject's page: four files, read once. */
@Controller('/public')
export class PageController {
  readonly #files = new Map(
    Object.keys(FILES).map((name) => [name, readFileSync(join(import.meta.dirname, 'page', name))]),
  );

  @Get()
  page(@Res() reply: FastifyReply): void {
    this.send('index.html', reply);
  }

  @Get('/page/:file')
  file(@Param('file') name: string, @Res() reply: FastifyReply): void {
    this.send(name, reply);
  }

  private send(name: string, reply: FastifyReply): void {
    const text = this.#files.get(name);
    if (!text) throw new LedgerError('NOT_FOUND');
    void reply
      .header('content-type', FILES[name])
      .header('content-security-policy', POLICY)
      .header('cache-control', 'no-cache')
      .send(text);
  }
}
