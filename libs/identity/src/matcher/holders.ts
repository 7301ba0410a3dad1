import type { Features } from './features.js';
import type { KeyKind, NodeKind } from './types.js';

/**
 * What of a record tells how many hold a key, and whom it can't be: a valid code or number, one that was repaired, its name as it
 * sounds. Values may be replaced by digests, equal ones by equal ones, so that an index may keep it beside each key and no
 * record need be opened for it.
 */
export interface Outline {
  kind: NodeKind;
  isBranch: boolean;
  uscc: string | undefined;
  usccRepaired: string | undefined;
  residentId: string | undefined;
  name: string | undefined;
}

export function outlineOf({ kind, uscc, usccRepaired, residentId, name, person }: Features): Outline {
  const named = kind === 'person' ? person?.pinyin : name && !name.isShop ? name.pinyin : undefined;
  return {
    kind,
    isBranch: name?.branch !== undefined,
    uscc,
    usccRepaired: uscc ? undefined : usccRepaired,
    residentId: kind === 'person' ? residentId : undefined,
    name: named === '' ? undefined : named,
  };
}

/** Records that share one of these are taken for one entity where holders of a key are counted. */
export function marksOf({ uscc, usccRepaired, residentId, name }: Outline): string[] {
  const code = uscc ?? usccRepaired;
  const marks: string[] = [];
  if (code) marks.push(`u${code}`);
  if (residentId) marks.push(`i${residentId}`);
  if (name) marks.push(`n${name}`);
  return marks;
}

/** Keys by which nothing but a branch is related: a name, a place, a brand says who may be the same, not who belongs to whom. */
const SAME_ONLY: ReadonlySet<KeyKind> = new Set([
  'organizationCode',
  'name',
  'nameAtPlace',
  'nameSound',
  'representative',
  'address',
  'brand',
  'birth',
]);

const contradicts = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a !== b;

/**
 * Whether two records that share a key of this kind are two for sure (what `conflictOf` rules out) and not related by what it finds,
 * as head office and branch are. Neither then says anything of the other's entity: what rules them out keeps their groups apart.
 */
export function areApart(a: Outline, b: Outline, kind: KeyKind): boolean {
  if (!SAME_ONLY.has(kind)) return false;
  if (a.kind !== b.kind || contradicts(a.residentId, b.residentId)) return true;
  return contradicts(a.uscc, b.uscc) && a.isBranch === b.isBranch;
}

/** How many parts the records fall into when those that share a mark are joined: whatever their order. */
export function holdersOf(marks: readonly (readonly (string | number)[])[]): number {
  const parent = marks.map((_, i) => i);
  const find = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  };
  const first = new Map<string | number, number>();
  let parts = marks.length;
  marks.forEach((own, i) => {
    for (const mark of own) {
      const known = first.get(mark);
      if (known === undefined) first.set(mark, i);
      else if (find(known) !== find(i)) {
        parent[find(known)] = find(i);
        parts--;
      }
    }
  });
  return parts;
}
