import {
  COMPONENT_MAX,
  resolve,
  type BatchMatcher,
  type Bucket,
  type EnglishFeatures,
  type EnglishRecord,
  type Key,
  type Node,
} from '@liandun/identity';

type EnglishNode = Node<EnglishFeatures>;
interface Held {
  key: Key;
  records: EnglishNode[];
  holders: number;
}

/** As in a batch: a key of more records finds nobody. */
const RECORDS_PER_KEY_MAX = 400;
const WEIGHED = new Set(['phone', 'email', 'registrationNumber']);

/** Records as they come: each touches its component, and the components of the keys whose standing it changes. */
export class Stream {
  private readonly buckets = new Map<string, Held>();
  private readonly nodes = new Map<string, EnglishNode>();
  private readonly entityOf = new Map<string, string[]>();
  /** The largest component that was resolved at once. */
  largest = 0;

  constructor(private readonly matcher: BatchMatcher<EnglishRecord, EnglishFeatures>) {}

  /** Takes in what arrived together: the outcome is the same as one by one, the work is less. */
  async add(arrived: readonly EnglishRecord[]): Promise<void> {
    const touched = new Set<string>();
    for (const record of arrived) {
      const node = { id: record.recordId, features: this.matcher.features(record) };
      this.nodes.set(node.id, node);
      this.entityOf.set(node.id, [node.id]);
      touched.add(node.id);
      for (const key of this.matcher.keys(node.features))
        for (const other of this.index(key, node)) for (const id of this.entityOf.get(other) ?? []) touched.add(id);
    }
    const given = [...touched].map((id) => this.nodes.get(id) as EnglishNode);
    const limit = Math.max(COMPONENT_MAX, this.nodes.size);
    const found = await resolve(
      this.matcher,
      given,
      { buckets: (keys) => keys.map((key) => this.bucket(key)), decisions: () => [] },
      limit,
    );
    this.largest = Math.max(this.largest, found.nodes.length);
    for (const ids of found.entities) for (const id of ids) this.entityOf.set(id, ids);
  }

  /** Every record with the smallest record of its entity. */
  entities(): Map<string, string> {
    return new Map([...this.entityOf].map(([id, ids]) => [id, ids[0] as string]));
  }

  /** Puts the record under the key; the records whose comparisons that changes. */
  private index(key: Key, node: EnglishNode): string[] {
    const text = `${key.kind}:${key.value}`;
    const held = this.buckets.get(text) ?? { key, records: [], holders: 0 };
    this.buckets.set(text, held);
    held.records.push(node);
    const before = held.holders;
    const cap = this.matcher.capOf(key.kind);
    held.holders =
      held.records.length > RECORDS_PER_KEY_MAX
        ? RECORDS_PER_KEY_MAX
        : this.matcher.holders(held.records.map(({ features }) => features));
    const turned = before >= cap !== held.holders >= cap;
    const weighed = WEIGHED.has(key.kind) && before !== held.holders;
    return turned || weighed ? held.records.map(({ id }) => id) : [];
  }

  private bucket(key: Key): Bucket<EnglishFeatures> {
    const { holders = 1, records = [] } = this.buckets.get(`${key.kind}:${key.value}`) ?? {};
    return { holders, records };
  }
}

/** The order that a linear congruence gives, the same in every run. */
export function shuffled<T>(list: readonly T[]): T[] {
  let state = 12_345;
  const weighted = list.map((item) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return [state, item] as const;
  });
  return weighted.toSorted(([a], [b]) => a - b).map(([, item]) => item);
}

/** The partition as one text: equal texts are equal partitions. */
export function partitionText(entityOf: ReadonlyMap<string, string>): string {
  const members = new Map<string, string[]>();
  for (const [id, entity] of entityOf) members.set(entity, [...(members.get(entity) ?? []), id]);
  return [...members.values()]
    .map((ids) => ids.toSorted().join(' '))
    .toSorted()
    .join('\n');
}
