import type { MemberRole } from '@liandun/contracts';

/** Who may use a route, and with what body. */
export interface Rule {
  /** `open`: no token is asked for. */
  roles: readonly MemberRole[] | 'open';
  /** Media types of the body, the closed list; a GET has none. */
  accepts?: readonly string[];
  /** A regulator says why it reads, and the reading is recorded before it is answered (rule P20). */
  audited?: boolean;
}

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const EVENT_TYPE = 'application/cloudevents+json';
export const BATCH_TYPE = 'application/cloudevents-batch+json';
export const NDJSON_TYPE = 'application/x-ndjson';

const OPEN: Rule = { roles: 'open' };
const ADMIN_READ: Rule = { roles: ['admin'] };
const ADMIN_WRITE: Rule = { roles: ['admin'], accepts: [JSON_TYPE] };

/** The one table of who may do what. A route that is not in it is not served. */
export const POLICY: Readonly<Record<string, Rule>> = {
  'POST /oauth/token': { roles: 'open', accepts: [FORM_TYPE] },
  'GET /.well-known/jwks.json': OPEN,
  'GET /openapi.json': OPEN,
  'GET /asyncapi.json': OPEN,
  'GET /health/live': OPEN,
  'GET /health/ready': OPEN,
  'GET /metrics': OPEN,
  'POST /v1/events': { roles: ['platform', 'regulator'], accepts: [EVENT_TYPE, BATCH_TYPE, NDJSON_TYPE] },
  'GET /v1/notices': { roles: ['platform'] },
  'GET /v1/notices/stream': { roles: ['platform'] },
  'POST /v1/screenings': { roles: ['platform'], accepts: [JSON_TYPE] },
  'GET /v1/entities/:entityId': { roles: ['platform', 'regulator'], audited: true },
  'GET /v1/listings/:listingId/coverage': { roles: ['regulator'], audited: true },
  'GET /v1/audit/events': { roles: ['platform', 'regulator'], audited: true },
  'GET /v1/receipts/:source/:id': { roles: ['platform', 'regulator'], audited: true },
  'GET /v1/receipts/:source/:id/openings': { roles: ['platform', 'regulator'] },
  'GET /log/checkpoint': OPEN,
  'GET /log/tile/:level/:tile': OPEN,
  'GET /log/tile/entries/:tile': { roles: ['regulator'] },
  'GET /v1/members': ADMIN_READ,
  'POST /v1/members': ADMIN_WRITE,
  'POST /v1/members/:memberId/keys': ADMIN_WRITE,
  'POST /v1/members/:memberId/keys/:kid/revocation': ADMIN_WRITE,
  'POST /v1/members/:memberId/subscription': ADMIN_WRITE,
  'POST /v1/members/:memberId/suspension': ADMIN_WRITE,
  'POST /v1/members/:memberId/resumption': ADMIN_WRITE,
  'POST /v1/members/:memberId/removal': ADMIN_WRITE,
  'GET /v1/approvals': ADMIN_READ,
  'POST /v1/approvals/:approvalId': { roles: ['regulator', 'admin'], accepts: [JSON_TYPE] },
  'POST /v1/erasures': { roles: ['platform', 'regulator'], accepts: [JSON_TYPE] },
  'GET /v1/erasures/:approvalId': { roles: ['platform', 'regulator', 'admin'] },
};

/** The rule of a registered route; HEAD is answered like GET. A tile's name may have slashes: its route ends in a wildcard. */
export const ruleOf = (method: string, path: string): Rule | undefined =>
  POLICY[`${method === 'HEAD' ? 'GET' : method} ${path.replace(/\/\*$/, '/:tile')}`];

function matcherOf(path: string): RegExp {
  const names = path.replaceAll('.', '\\.').replace(':tile', '.+');
  return new RegExp(`^${names.replaceAll(/:[A-Za-z]+/g, '[^/]+')}/?$`);
}

const ROUTES = Object.keys(POLICY).map((route) => {
  const [method, path] = route.split(' ') as [string, string];
  return { method, matcher: matcherOf(path) };
});

/** The methods that the ledger takes at an address; empty where there is no such address. */
export const methodsAt = (path: string): string[] =>
  ROUTES.filter(({ matcher }) => matcher.test(path)).map(({ method }) => method);
