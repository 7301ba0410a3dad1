// Members: status, subscription, agreement, standing as publishers.
import { prepared } from '@liandun/event-log';
import type { FoldRun } from './run.js';

export const admit: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(
      client,
      `insert into ${schema}.receiver (member_id, role, status, joined_position, subscription, agreement)
       values ($1, $2, 'active', $3, $4, $5)
       on conflict (member_id) do update set role = excluded.role, status = 'active',
         joined_position = excluded.joined_position, subscription = excluded.subscription, agreement = excluded.agreement`,
      [
        data.memberId,
        data.role,
        event.position,
        JSON.stringify(data.subscription),
        data.agreement === undefined ? null : JSON.stringify(data.agreement),
      ],
    );
  }
};

export const setStatus =
  (status: string): FoldRun =>
  async (client, schema, events) => {
    await prepared(client, `update ${schema}.receiver set status = $1 where member_id = any($2)`, [
      status,
      events.map((event) => event.data.memberId),
    ]);
  };

/** A publisher's findings count a tier lower from here on, or as they are (rule P19). */
export const judgePublisher =
  (lowered: boolean): FoldRun =>
  async (client, schema, events) => {
    await prepared(client, `update ${schema}.receiver set lowered = $1 where member_id = any($2)`, [
      lowered,
      events.map((event) => event.data.memberId),
    ]);
  };

export const subscribe: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(client, `update ${schema}.receiver set subscription = $2 where member_id = $1`, [
      data.memberId,
      JSON.stringify(data.subscription),
    ]);
  }
};

export const agree: FoldRun = async (client, schema, events) => {
  for (const { data } of events) {
    await prepared(client, `update ${schema}.receiver set agreement = $2 where member_id = $1`, [
      data.memberId,
      JSON.stringify(data.agreement),
    ]);
  }
};
