// What every fold of the ledger is made of.
import { decisionKey, memberOfSource } from '@liandun/contracts';
import { prepared, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';

// Entries of every released version are read here, so their data is looked at field by field.
// oxlint-disable-next-line typescript/no-explicit-any
export type Data = any;

export type FoldRun = (client: ClientBase, schema: string, events: StoredEvent[]) => Promise<void>;

/** A personal name stands in an entry as `{ commitment, masked }`; an organization's in clear. */
export const publicName = (name: Data): string => (typeof name === 'string' ? name : (name?.masked ?? '*'));

export const inClear = (value: Data): string | undefined => (typeof value === 'string' ? value : undefined);

export const sender = (event: StoredEvent): string => memberOfSource(event.source) ?? 'ledger';

/** Runs `sql` once with the rows as one JSON parameter: the set-based form of all bulk writes here. */
export const bulk = (client: ClientBase, sql: string, rows: object[]): Promise<unknown> =>
  rows.length === 0 ? Promise.resolve() : prepared(client, sql, [JSON.stringify(rows)]);

export const keyOf = (decisionNo: string | undefined): string | undefined =>
  decisionNo === undefined ? undefined : decisionKey(decisionNo);
