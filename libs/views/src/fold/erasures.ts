// What is forgotten of persons.
import { prepared } from '@liandun/event-log';
import type { FoldRun } from './run.js';

/** Of an erased person not even the mask stays, nor of an entity of which every entry was erased. */
export const forget: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const positions = [event.data.positions];
    await prepared(
      client,
      `update ${schema}.observation set name = '*', uscc = null, erased = true
       where position = any($1) and kind <> 'organization'`,
      positions,
    );
    await prepared(
      client,
      `update ${schema}.entity e set name = '*', uscc = null, erased = true
       where e.entity_id in (select entity_id from ${schema}.observation where position = any($1))
         and e.kind <> 'organization'
         and not exists (select from ${schema}.observation o where o.entity_id = e.entity_id and not o.erased)`,
      positions,
    );
  }
};
