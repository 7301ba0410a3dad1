import type { Features } from './features.js';

/** Records that share one of these are taken for one entity where holders of a key are counted. */
export function marksOf({ kind, uscc, usccRepaired, residentId, name, person }: Features): string[] {
  const code = uscc ?? usccRepaired;
  const named = kind === 'person' ? person?.pinyin : name && !name.isShop ? name.pinyin : undefined;
  return [
    ...(code ? [`u${code}`] : []),
    ...(kind === 'person' && residentId ? [`i${residentId}`] : []),
    ...(named ? [`n${named}`] : []),
  ];
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
