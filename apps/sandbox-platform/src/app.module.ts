import { Global, Module } from '@nestjs/common';
import { readFile } from 'node:fs/promises';
import { pgNoticeStore } from '@liandun/sdk';
import { LiandunModule, type LiandunOptions } from '@liandun/sdk-nest';
import type { JWK } from 'jose';
import { ControlController } from './control.controller.js';
import { Notices } from './notices.js';
import { Outbox } from './outbox.js';
import { Store } from './store.js';

const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
};

@Global()
@Module({ providers: [Store], exports: [Store] })
class StoreModule {}

async function options(store: Store): Promise<LiandunOptions> {
  await store.prepare();
  const { KAFKA_BROKERS: brokers, KAFKA_SECURITY_PROTOCOL: protocol, LIANDUN_CA: ca } = process.env;
  return {
    client: {
      url: setting('LIANDUN_URL'),
      memberId: setting('MEMBER'),
      key: JSON.parse(await readFile(setting('MEMBER_KEY'), 'utf8')) as JWK,
      sign: process.env.LIANDUN_SIGN === '1',
      ...(ca ? { ca: await readFile(ca, 'utf8') } : {}),
    },
    notices: {
      name: 'shops',
      store: pgNoticeStore(store.pool),
      onProblem: (error) => console.error(error.message),
      ...(brokers && { kafka: { brokers, ssl: protocol === 'SASL_SSL' } }),
    },
  };
}

@Module({
  imports: [StoreModule, LiandunModule.forRootAsync({ inject: [Store], useFactory: options })],
  controllers: [ControlController],
  providers: [Notices, Outbox],
})
export class AppModule {}
