import { validateSubmission } from '@liandun/contracts';
import type { CloudEvent, FieldError, MerchantReported, Problem } from '@liandun/contracts';

const IDENTITY = '/data/identity/';
const REQUIRED = new Set(['kind', 'name']);
// What is left out may uncover something else that is wrong; it never takes more rounds than there are fields.
const ROUNDS_MAX = 12;

/** The same check as the ledger's own at the door; undefined where nothing is wrong. */
export function problemOf(event: CloudEvent, memberId: string, now: Date): Problem | undefined {
  const checked = validateSubmission(event, { memberId, role: 'platform', now });
  return 'problem' in checked ? checked.problem : undefined;
}

const optionalPart = ({ pointer }: FieldError): string[] | undefined => {
  if (!pointer.startsWith(IDENTITY)) return undefined;
  const path = pointer.slice(IDENTITY.length).split('/');
  return REQUIRED.has(path[0] ?? '') ? undefined : path;
};

/**
 * A copy of a merchant's report without the optional identity fields that the ledger would refuse, and the names of what
 * was left out (`phones`, `legalRepresentative.residentId`). What is required, and a shop, is never left out: such a row
 * is refused as it is.
 */
export function dropInvalid(
  data: MerchantReported,
  check: (data: MerchantReported) => Problem | undefined,
): { data: MerchantReported; dropped: string[] } {
  let kept = data;
  const dropped: string[] = [];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const paths = (check(kept)?.errors ?? []).map(optionalPart).filter((path) => path !== undefined);
    if (paths.length === 0) break;
    kept = structuredClone(kept);
    // From the back, so that the places of a list stay what the errors say.
    for (const path of paths.toReversed()) {
      remove(kept.identity as unknown as Node, path);
      dropped.push(path.filter((step) => !/^\d+$/.test(step)).join('.'));
    }
  }
  return { data: kept, dropped };
}

type Node = Record<string, unknown> | unknown[];

function remove(node: Node, [step = '', ...rest]: string[]): void {
  const child = (node as Record<string, unknown>)[step];
  if (rest.length > 0 && typeof child === 'object' && child !== null) {
    remove(child as Node, rest);
    if (Object.keys(child).length > 0) return;
  }
  if (Array.isArray(node)) node.splice(Number(step), 1);
  else delete node[step];
}
