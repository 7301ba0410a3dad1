/** What a benchmark answers: a table for people, and everything it measured as JSON. It prints nothing itself. */
export interface BenchResult {
  name: string;
  title: string;
  machine?: string;
  /** One object for each line of the table, with the same names in each. */
  rows: Record<string, string | number>[];
  /** Further tables, such as where the time goes. */
  tables?: { title: string; rows: BenchResult['rows'] }[];
  notes?: string[];
  json: unknown;
}
