import { randomUUID } from 'node:crypto';
import { kafkaPrincipal } from '@liandun/contracts';
import { kafkaClient } from '@liandun/sdk';
import { importJWK, SignJWT, type JWK, type JWTPayload } from 'jose';
import type { Kafka } from 'kafkajs';

export { until } from './until.js';

export const env = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

/** The key that a member of tests comes with, unless told. */
export const firstKid = (memberId: string): string => `${memberId}-1`;

/** A token for the test run's broker as the ledger would issue it for the member's first key. */
export async function kafkaToken(memberId: string, claims: JWTPayload = {}): Promise<string> {
  const key = JSON.parse(env('KAFKA_KEY')) as JWK;
  const payload = {
    iss: env('LIANDUN_ISSUER'),
    sub: kafkaPrincipal(memberId, firstKid(memberId)),
    aud: 'liandun-kafka',
    exp: Math.floor(Date.now() / 1000) + 300,
    ...claims,
  };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', kid: key.kid })
    .setIssuedAt()
    .sign(await importJWK(key, 'ES256'));
}

/** A client of the listener that members use. */
export const memberKafka = (memberId: string, token = async () => kafkaToken(memberId)): Kafka =>
  kafkaClient({ brokers: env('KAFKA_BROKERS'), clientId: memberId, token });

export interface Received {
  offset: string;
  key: string | undefined;
  value: string;
  headers: Record<string, string>;
}

/** Reads a topic's one partition from its start over the ledger's own listener until `enough` says so; 40 s at most. */
export async function readTopic(topic: string, enough: (received: Received[]) => boolean): Promise<Received[]> {
  const consumer = kafkaClient({ brokers: env('KAFKA_INTERNAL'), clientId: 'test' }).consumer({
    groupId: `test-${randomUUID()}`,
    maxWaitTimeInMs: 100,
  });
  const received: Received[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${topic} brought ${received.length} records`)), 40_000);
      const eachMessage = async ({ message }: { message: import('kafkajs').KafkaMessage }): Promise<void> => {
        received.push({
          offset: message.offset,
          key: message.key?.toString(),
          value: message.value?.toString() ?? '',
          headers: Object.fromEntries(
            Object.entries(message.headers ?? {}).map(([name, text]) => [name, String(text)]),
          ),
        });
        if (!enough(received)) return;
        clearTimeout(timer);
        resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
    return received;
  } finally {
    await consumer.disconnect();
  }
}
