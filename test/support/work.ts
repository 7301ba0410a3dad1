import pg from 'pg';

interface Statement {
  text: string;
  values: unknown[];
  /** In whose name it was asked: what `readAs` began its transaction with; undefined where the ledger asked as itself. */
  caller: string | undefined;
}

interface PlanNode {
  'Node Type': string;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}
const nodesOf = (node: PlanNode): unknown[] => [
  [node['Node Type'], node['Actual Loops'], node['Rows Removed by Filter'] ?? 0],
  ...(node.Plans ?? []).flatMap(nodesOf),
];

/** What the process asks by the clock, whoever calls. */
const BACKGROUND = /clock_timestamp|tlog\.halt|reason_code/;
/** Who the caller is: the same whatever he asks for. */
const CALLERS_OWN = /access\.member |auth\.identification/;

// oxlint-disable-next-line typescript/unbound-method -- called with its `this` below, and put back
const { query } = pg.Client.prototype;

/** Writes down what this process asks of the real database, and shows how PostgreSQL carries it out. */
export class Work {
  readonly #statements: Statement[] = [];

  private constructor(private readonly planner: pg.Client) {}

  static async record(databaseUrl: string): Promise<Work> {
    // Nothing of the planner's own is written down.
    const planner = new pg.Client(databaseUrl);
    await planner.connect();
    // Tables as small as a test's would be read whole; those of a ledger never are.
    await planner.query('set enable_seqscan = off');
    const work = new Work(planner);
    const callers = new WeakMap<pg.Client, string>();
    pg.Client.prototype.query = function recorded(this: pg.Client, ...given: unknown[]) {
      const [first, second] = given as [string | { text: string; values?: unknown[] }, unknown];
      const text = typeof first === 'string' ? first : first?.text;
      const values = typeof first === 'string' ? second : first?.values;
      if (this !== planner && typeof text === 'string') work.#note(this, callers, text, values);
      return (query as (...args: unknown[]) => unknown).apply(this, given);
    } as typeof query;
    return work;
  }

  #note(client: pg.Client, callers: WeakMap<pg.Client, string>, text: string, values: unknown): void {
    const [, names] = /^begin [a-z ]*read only; (.*)$/s.exec(text) ?? [];
    if (names !== undefined) callers.set(client, names);
    if (/^(rollback|commit|begin)$/.test(text)) callers.delete(client);
    const caller = callers.get(client);
    this.#statements.push({ text, values: Array.isArray(values) ? values : [], caller });
  }

  async stop(): Promise<void> {
    pg.Client.prototype.query = query;
    await this.planner.end();
  }

  /** The texts of what was asked meanwhile, and what it took: every node of its plan, how often it ran, what it read for nothing. */
  async of<T>(asking: () => Promise<T>): Promise<{ answer: T; texts: string[]; work: unknown[] }> {
    this.#statements.splice(0);
    const answer = await asking();
    const recorded = this.#statements
      .splice(0)
      .filter(({ text }) => /^\s*(select|with)/.test(text) && !BACKGROUND.test(text));
    const work: unknown[] = [];
    for (const statement of recorded.filter(({ text }) => !CALLERS_OWN.test(text)))
      work.push(await this.#planOf(statement));
    return { answer, texts: recorded.map(({ text }) => text), work };
  }

  /** Behind the same walls as what the api reads for the caller. */
  async #planOf({ text, values, caller }: Statement): Promise<unknown> {
    const role = caller === undefined ? 'liandun_door' : 'liandun_api';
    await this.planner.query(
      `begin isolation level repeatable read read only; set local role ${role}${caller === undefined ? '' : `; ${caller}`}`,
    );
    try {
      const { rows } = await this.planner.query(`explain (analyze, timing off, format json) ${text}`, values);
      return nodesOf(rows[0]['QUERY PLAN'][0].Plan as PlanNode);
    } finally {
      await this.planner.query('rollback');
    }
  }
}
