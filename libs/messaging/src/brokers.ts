import { kafkaClient, type KafkaSettings } from '@liandun/sdk';
import type { Kafka } from 'kafkajs';

/** The ledger's own listener: `host:port`, comma-separated; with `ssl` over TLS, as whom the client certificate names. */
export type Brokers = string | Pick<KafkaSettings, 'brokers' | 'ssl'>;

export const ledgerClient = (brokers: Brokers, clientId: string): Kafka =>
  kafkaClient({ ...(typeof brokers === 'string' ? { brokers } : brokers), clientId });
