import type { MemberRole } from '@liandun/contracts';
import type { Rate } from './limits.js';

/** Who may use a route, and with what body. */
export interface Rule {
  /** `open`: no token is asked for. A `subject` is no member: he has proved whom entries are about (decision 28). */
  roles: readonly (MemberRole | 'subject')[] | 'open';
  /** Media types of the body, the closed list; a GET has none. */
  accepts?: readonly string[];
  /** A regulator says why it reads, and the reading is recorded before it is answered (rule P20). */
  audited?: boolean;
  /** The quota that it draws on; `unlimited`: whoever runs the ledger must always see how it is. */
  rate: Rate | 'unlimited';
  /** It names an object: look-ups that lead to nothing are counted against enumeration (rule P18). */
  lookUp?: boolean;
}

export const JSON_TYPE = 'application/json';
export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const EVENT_TYPE = 'application/cloudevents+json';
export const BATCH_TYPE = 'application/cloudevents-batch+json';
export const NDJSON_TYPE = 'application/x-ndjson';

const OPEN: Rule = { roles: 'open', rate: 'public' };
const UNLIMITED: Rule = { roles: 'open', rate: 'unlimited' };
const SUBJECT_READ: Rule = { roles: ['subject'], rate: 'subject' };
const SUBJECT_WRITE: Rule = { roles: ['subject'], accepts: [JSON_TYPE], rate: 'subject' };
const ADMIN_READ: Rule = { roles: ['admin'], rate: 'read' };
const ADMIN_WRITE: Rule = { roles: ['admin'], accepts: [JSON_TYPE], rate: 'write' };

/** The one table of who may do what. A route that is not in it is not served. */
export const POLICY: Readonly<Record<string, Rule>> = {
  'POST /oauth/token': { roles: 'open', accepts: [FORM_TYPE], rate: 'token' },
  'GET /.well-known/jwks.json': OPEN,
  'GET /openapi.json': OPEN,
  'GET /asyncapi.json': OPEN,
  'GET /health/live': UNLIMITED,
  'GET /health/ready': UNLIMITED,
  'GET /metrics': UNLIMITED,
  'POST /v1/events': {
    roles: ['platform', 'regulator'],
    accepts: [EVENT_TYPE, BATCH_TYPE, NDJSON_TYPE],
    rate: 'events',
  },
  'POST /v1/events:preview': { roles: ['platform', 'regulator'], accepts: [EVENT_TYPE], rate: 'events' },
  'GET /v1/notices': { roles: ['platform'], rate: 'read' },
  'GET /v1/notices/reminders': { roles: ['platform'], rate: 'read' },
  'GET /v1/notices/erased': { roles: ['platform'], rate: 'read' },
  'GET /v1/notices/stream': { roles: ['platform'], rate: 'read' },
  'PUT /v1/webhook': { roles: ['platform'], accepts: [JSON_TYPE], rate: 'write' },
  'GET /v1/webhook': { roles: ['platform'], rate: 'read' },
  'DELETE /v1/webhook': { roles: ['platform'], rate: 'write' },
  'POST /v1/webhook/secrets': { roles: ['platform'], accepts: [JSON_TYPE], rate: 'write' },
  'POST /v1/webhook/test': { roles: ['platform'], accepts: [JSON_TYPE], rate: 'write' },
  'GET /v1/webhook/deliveries': { roles: ['platform'], rate: 'read' },
  'POST /v1/webhook/replay': { roles: ['platform'], accepts: [JSON_TYPE], rate: 'write' },
  'POST /v1/screenings': { roles: ['platform'], accepts: [JSON_TYPE], rate: 'screening' },
  'GET /v1/screenings/matched': { roles: ['platform'], rate: 'read' },
  'POST /v1/screenings/:screeningId/matches/:listingId/decision': {
    roles: ['platform'],
    accepts: [JSON_TYPE],
    rate: 'write',
    lookUp: true,
  },
  'GET /v1/entities/:entityId': { roles: ['platform', 'regulator'], audited: true, rate: 'read', lookUp: true },
  'GET /v1/entities/:entityId/apart/:other': { roles: ['regulator'], audited: true, rate: 'read', lookUp: true },
  'GET /v1/reviews': { roles: ['regulator'], audited: true, rate: 'read' },
  'GET /v1/reviews/:reviewId': { roles: ['regulator'], audited: true, rate: 'read', lookUp: true },
  'POST /v1/reviews/:reviewId/decision': { roles: ['regulator'], accepts: [JSON_TYPE], rate: 'write' },
  'POST /v1/reviews/:reviewId/undo': { roles: ['regulator'], accepts: [JSON_TYPE], rate: 'write' },
  'GET /v1/appeals': { roles: ['platform', 'regulator'], audited: true, rate: 'read' },
  'GET /v1/appeals/:appealId': { roles: ['platform', 'regulator'], audited: true, rate: 'read', lookUp: true },
  'POST /v1/appeals/:appealId/decision': {
    roles: ['platform', 'regulator'],
    accepts: [JSON_TYPE],
    rate: 'write',
    lookUp: true,
  },
  'POST /v1/appeals/:appealId/stay': {
    roles: ['platform', 'regulator'],
    accepts: [JSON_TYPE],
    rate: 'write',
    lookUp: true,
  },
  'POST /v1/appeals/:appealId/deadline': { roles: ['regulator'], accepts: [JSON_TYPE], rate: 'write', lookUp: true },
  'POST /v1/cases/:listingId/deadline': { roles: ['regulator'], accepts: [JSON_TYPE], rate: 'write', lookUp: true },
  'POST /v1/listings/:listingId/malice': { roles: ['regulator'], accepts: [JSON_TYPE], rate: 'write', lookUp: true },
  'GET /v1/listings/:listingId/coverage': { roles: ['regulator'], audited: true, rate: 'read', lookUp: true },
  'GET /v1/audit/events': { roles: ['platform', 'regulator'], audited: true, rate: 'read' },
  'GET /v1/receipts/:source/:id': { roles: ['platform', 'regulator'], audited: true, rate: 'read', lookUp: true },
  'GET /v1/receipts/:source/:id/openings': { roles: ['platform', 'regulator'], rate: 'read', lookUp: true },
  'GET /log/checkpoint': OPEN,
  'GET /log/tile/:level/:tile': OPEN,
  'GET /log/tile/entries/:tile': { roles: ['regulator'], rate: 'read' },
  'GET /public/publishers': OPEN,
  'GET /public/statistics': OPEN,
  'GET /v1/publishers/:memberId': { roles: ['platform', 'regulator'], audited: true, rate: 'read', lookUp: true },
  'GET /v1/floods': { roles: ['regulator', 'admin'], audited: true, rate: 'read' },
  'POST /v1/floods/:memberId/decision': { roles: ['regulator', 'admin'], accepts: [JSON_TYPE], rate: 'write' },
  'GET /public': OPEN,
  'GET /public/page/:file': OPEN,
  'POST /public/identifications': { roles: 'open', accepts: [JSON_TYPE], rate: 'subject' },
  'POST /public/identifications/:identificationId/code': { roles: 'open', accepts: [JSON_TYPE], rate: 'subject' },
  'GET /public/identifications': OPEN,
  'POST /public/challenges': { roles: 'open', accepts: [JSON_TYPE], rate: 'subject' },
  'POST /public/signed-statements': { roles: 'open', accepts: [JSON_TYPE], rate: 'subject' },
  'GET /public/subject': SUBJECT_READ,
  'GET /public/subject/copy': SUBJECT_READ,
  'POST /public/appeals': SUBJECT_WRITE,
  'POST /public/hearings': SUBJECT_WRITE,
  'POST /public/statements': SUBJECT_WRITE,
  'POST /public/corrections': SUBJECT_WRITE,
  'GET /v1/statements': { roles: ['platform', 'regulator'], audited: true, rate: 'read' },
  'GET /v1/cases/:caseId/hearing': { roles: ['platform'], rate: 'read', lookUp: true },
  'GET /v1/alarms': { roles: ['regulator', 'admin'], audited: true, rate: 'read' },
  'GET /v1/reason-codes': { roles: ['platform', 'regulator', 'admin'], rate: 'read' },
  'POST /v1/reason-codes': { roles: ['regulator', 'admin'], accepts: [JSON_TYPE], rate: 'write' },
  'GET /v1/members': ADMIN_READ,
  'POST /v1/members': ADMIN_WRITE,
  'GET /v1/members/:memberId/keys': { roles: ['platform', 'regulator', 'admin'], rate: 'read', lookUp: true },
  'POST /v1/members/:memberId/keys': ADMIN_WRITE,
  'POST /v1/members/:memberId/keys/:kid/revocation': ADMIN_WRITE,
  'POST /v1/members/:memberId/subscription': ADMIN_WRITE,
  'POST /v1/members/:memberId/agreement': ADMIN_WRITE,
  'POST /v1/members/:memberId/signatures': ADMIN_WRITE,
  'POST /v1/members/:memberId/limits': ADMIN_WRITE,
  'POST /v1/members/:memberId/suspension': ADMIN_WRITE,
  'POST /v1/members/:memberId/resumption': ADMIN_WRITE,
  'POST /v1/members/:memberId/removal': ADMIN_WRITE,
  'GET /v1/approvals': ADMIN_READ,
  'POST /v1/approvals/:approvalId': { roles: ['regulator', 'admin'], accepts: [JSON_TYPE], rate: 'write' },
  'POST /v1/erasures': { roles: ['platform', 'regulator'], accepts: [JSON_TYPE], rate: 'write' },
  'GET /v1/erasures/:approvalId': { roles: ['platform', 'regulator', 'admin'], rate: 'read', lookUp: true },
};

/** The rule of a registered route; HEAD is answered like GET. A tile's name may have slashes: its route ends in a wildcard. */
export const ruleOf = (method: string, path: string): Rule | undefined =>
  POLICY[`${method === 'HEAD' ? 'GET' : method} ${path.replace(/\/\*$/, '/:tile').replace('::', ':')}`];

function matcherOf(path: string): RegExp {
  const names = path.replaceAll('.', '\\.').replace(':tile', '.+');
  return new RegExp(`^${names.replaceAll(/\/:[A-Za-z]+/g, '/[^/]+')}/?$`);
}

const ROUTES = Object.keys(POLICY).map((route) => {
  const [method, path] = route.split(' ') as [string, string];
  return { method, matcher: matcherOf(path) };
});

/** The methods that the ledger takes at an address; empty where there is no such address. */
export const methodsAt = (path: string): string[] =>
  ROUTES.filter(({ matcher }) => matcher.test(path)).map(({ method }) => method);
