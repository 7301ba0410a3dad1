import { Body, Controller, Get, Header, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AUDIENCES, OAuthError, Tokens, type Audience } from './tokens.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** One value of a form; given twice it is refused (RFC 6749 section 3.2). */
function single(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name);
  if (values.length > 1) throw new OAuthError('invalid_request', `${name} is given twice`);
  return values[0] || undefined;
}

/** OAuth 2.0 client credentials with `private_key_jwt` (RFC 6749 section 4.4, RFC 7523 section 2.2). */
@Controller()
export class OAuthController {
  constructor(private readonly tokens: Tokens) {}

  @Get('/.well-known/jwks.json')
  @Header('cache-control', 'public, max-age=300')
  jwks(): object {
    return this.tokens.jwks();
  }

  @Post('/oauth/token')
  async token(@Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    void reply.header('cache-control', 'no-store');
    try {
      void reply.status(200).send(await this.#issue(body instanceof URLSearchParams ? body : new URLSearchParams()));
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      void reply
        .status(error.error === 'invalid_client' ? 401 : 400)
        .send({ error: error.error, error_description: error.message });
    }
  }

  async #issue(form: URLSearchParams): Promise<object> {
    const grant = single(form, 'grant_type');
    if (!grant) throw new OAuthError('invalid_request', 'grant_type is missing');
    if (grant !== 'client_credentials') throw new OAuthError('unsupported_grant_type', 'only client_credentials');
    const assertion = single(form, 'client_assertion');
    if (!assertion || single(form, 'client_assertion_type') !== ASSERTION_TYPE)
      throw new OAuthError('invalid_client', `client_assertion with client_assertion_type ${ASSERTION_TYPE} is needed`);
    const audience = single(form, 'audience') ?? 'liandun';
    if (!AUDIENCES.includes(audience as Audience))
      throw new OAuthError('invalid_target', `audience is one of ${AUDIENCES.join(', ')}`);
    const { token, expiresInSeconds } = await this.tokens.issue(assertion, audience as Audience);
    return { access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds };
  }
}
