import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EVENT_TYPES } from '@liandun/contracts';
import type pg from 'pg';
import { until } from '../support/kafka.js';
import { Product } from '../support/product.js';
import { Stops } from './stops.js';

let product: Product;
let pool: pg.Pool;

beforeAll(async () => {
  product = await Product.start([{ memberId: 'starts-platform', role: 'platform' }], undefined, ['api']);
  pool = product.pool();
  // The pool may have the connection that is cut off.
  pool.on('error', () => undefined);
}, 180_000);
afterAll(async () => {
  await pool?.end();
  await product?.stop();
});

test('I11: what a start does in the background is done after all where the database was lost in its midst', async () => {
  const stops = await Stops.install(pool);
  const activated = `new.type = '${EVENT_TYPES.matcherActivated}'`;
  // Ready while it goes on: an operator's probe sees nothing of it.
  await stops.cutOffAt(
    { name: 'the matcher is activated', on: 'after insert on log.entry', when: activated },
    async () => product.run('worker'),
  );
  await until('the matcher is active', async () => {
    const { rowCount } = await pool.query('select from log.entry where type = $1', [EVENT_TYPES.matcherActivated]);
    return rowCount === 1;
  });
  await stops.close();
  expect(product.output('worker')).toContain('matching is renewed once the database is back');
  await product.settled();
  const answer = await fetch(`${product.urlOf('worker')}/health/ready`);
  expect([answer.status, await answer.json()]).toMatchObject([200, { status: 'ok' }]);
});
