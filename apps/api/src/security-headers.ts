import type { FastifyInstance } from 'fastify';

// A year (RFC 6797), and for this host alone: what else stands under its name is not ours to decide.
const HSTS = 'max-age=31536000';

/**
 * What answers say to a browser that comes across them: nothing here is a page, none of it is to be guessed at, framed or passed on.
 * Set on the connection's own answer, so that streams have them too.
 */
export function installSecurityHeaders(instance: FastifyInstance, overTls: boolean): void {
  const headers: Record<string, string> = {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    ...(overTls ? { 'strict-transport-security': HSTS } : {}),
  };
  instance.addHook('onRequest', async (_request, reply) => {
    for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value);
  });
}
