import { createHash } from 'node:crypto';
import type { ClientBase, Pool, QueryResult, QueryResultRow } from 'pg';

const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha1').update(text).digest('hex');
    names.set(text, name);
  }
  return name;
}

/**
 * Runs a statement that PostgreSQL parses and plans once per connection, since a fan-out is many small ones. Statements
 * that are sent without waiting for one another go out together where the connection is pipelined, in their order.
 */
export const prepared = <R extends QueryResultRow>(
  client: ClientBase | Pool,
  text: string,
  values: unknown[] = [],
): Promise<QueryResult<R>> => client.query<R>({ name: nameOf(text), text, values });
