/**
 * The graph of records that share a key, in columns: a million records have some ten million pairs. Two that share several
 * keys are neighbours several times. Filled in two passes over the same lists: `count` them all, `allocate`, `add` them all.
 */
export class Candidates {
  /** Where the neighbours of each record begin; while they are added, where the next one goes. */
  private readonly starts: Uint32Array;
  private neighbours = new Uint32Array(0);

  constructor(private readonly records: number) {
    this.starts = new Uint32Array(records + 2);
  }

  count(list: readonly number[]): void {
    for (const record of list) this.starts[record + 2] = (this.starts[record + 2] as number) + list.length - 1;
  }

  allocate(): void {
    for (let i = 2; i < this.starts.length; i++)
      this.starts[i] = (this.starts[i] as number) + (this.starts[i - 1] as number);
    this.neighbours = new Uint32Array(this.starts[this.records + 1] as number);
  }

  add(list: readonly number[]): void {
    for (const record of list) {
      let next = this.starts[record + 1] as number;
      for (const other of list) if (other !== record) this.neighbours[next++] = other;
      this.starts[record + 1] = next;
    }
  }

  of(record: number): Uint32Array {
    return this.neighbours.subarray(this.starts[record], this.starts[record + 1]);
  }

  /**
   * All records, depth first along the graph: neighbours mostly stand near each other, so that what is unpacked for one
   * comparison is at hand for the next.
   */
  order(): Uint32Array {
    const order = new Uint32Array(this.records);
    const seen = new Uint8Array(this.records);
    const next = this.starts.slice();
    // No path visits a record twice.
    const path = new Uint32Array(this.records);
    let length = 0;
    for (let start = 0; start < this.records; start++) {
      if (seen[start]) continue;
      let depth = 0;
      path[0] = start;
      while (depth >= 0) {
        const record = path[depth] as number;
        if (!seen[record]) {
          seen[record] = 1;
          order[length++] = record;
        }
        const end = this.starts[record + 1] as number;
        let at = next[record] as number;
        while (at < end && seen[this.neighbours[at] as number]) at++;
        next[record] = at;
        if (at === end) depth--;
        else path[++depth] = this.neighbours[at] as number;
      }
    }
    return order;
  }
}
